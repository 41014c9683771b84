# SPDX-License-Identifier: MIT
"""Manual pages against what there is: options of --help, keys of the schema, public functions."""
import glob
import os
import re
import subprocess
import unittest

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
BIN = os.path.join(os.environ["NFL_BUILD"], "bin")


def read(*path):
    with open(os.path.join(SOURCES, *path)) as f:
        return f.read()


def page(*path):
    """The text of a page without scdoc's escapes."""
    return re.sub(r"\\(.)", r"\1", read(*path))


def options_of(*command):
    out = subprocess.run([os.path.join(BIN, command[0]), *command[1:]], stdout=subprocess.PIPE,
                         check=True).stdout.decode()
    return set(re.findall(r"^  (?:-\w,|   ) (--[a-z][a-z-]*)", out, re.MULTILINE))


def options_in(text):
    """Options that a page describes: in bold at the beginning of a line, several on one."""
    found = set()
    for line in re.findall(r"^\*-.*", text, re.MULTILINE):
        found |= set(re.findall(r"\*(--[a-z][a-z-]*)\*", line))
    return found


class Docs(unittest.TestCase):
    def test_nflogd_has_the_options_of_its_page(self):
        self.assertEqual(options_of("nflogd", "--help"), options_in(page("server", "nflogd.8.scd")))

    def test_nflogctl_has_the_options_of_its_page(self):
        text = page("client", "nflogctl.1.scd")
        help_text = subprocess.run([os.path.join(BIN, "nflogctl"), "--help"], check=True,
                                   stdout=subprocess.PIPE).stdout.decode()
        commands = re.findall(r"^  ([a-z]+) .*  \S", help_text, re.MULTILINE)
        self.assertIn("subscribe", commands)
        options = options_of("nflogctl", "--help")
        for command in commands:
            with self.subTest(command=command):
                self.assertRegex(text, rf"\*(nflogctl )?{command}\b")
            if command not in ("help",):
                options |= options_of("nflogctl", "help", command)
        self.assertEqual(options, options_in(text))

    def test_every_key_of_the_file_is_in_its_page_and_in_the_example(self):
        keys = set()
        for source in ("schema.c", "filter_keys.c"):
            keys |= set(re.findall(r'\.name = "([a-z_0-9]+)"', read("config", source)))
            keys |= set(re.findall(r'\{"([a-z_]+)", (?:VALUE|LIST_OF)', read("config", source)))
        keys |= set(re.findall(r"VALUES\((\w+), \w+_item", read("config", "filter_keys.c")))
        self.assertGreater(len(keys), 50)
        text, example = page("config", "nflogd.yaml.5.scd"), read("config", "nflogd.yaml")
        self.assertEqual({k for k in keys if not re.search(rf"\*[^*]*\b{k}\b[^*]*\*", text)}, set())
        in_filters = {"exact", "starts_with", "include", "exclude"} | set(re.findall(r"VALUES\((\w+), \w+_item", read("config", "filter_keys.c")))
        missing = {k for k in keys - in_filters if not re.search(rf"\b{k}:", example)}
        self.assertEqual(missing, set())

    def test_every_public_function_is_in_the_page_of_its_library(self):
        for headers, path in (("lib/include/nfl/*.h", ("lib", "libnfl.3.scd")),
                              ("client/include/nfl/*.h", ("client", "libnfl-client.3.scd"))):
            text = page(*path)
            names = set()
            for header in glob.glob(os.path.join(SOURCES, headers)):
                names |= set(re.findall(r"^NFL_API [^;(]*?\b(nfl_\w+)\(", read(header), re.MULTILINE))
            self.assertGreater(len(names), 10)
            self.assertEqual({name for name in names if f"*{name}*" not in text}, set())


if __name__ == "__main__":
    unittest.main()
