# SPDX-License-Identifier: MIT
"""The settings of nflogctl: command line, environment, file, default, and nflogctl config."""
import json
import os
import unittest

import fake
from fake import pb, source


class ConfigTest(fake.CommandTest):
    def write(self, text, name="config.yaml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def write_default(self, text):
        os.makedirs(os.path.join(self.folder, "nflogctl"), exist_ok=True)
        return self.write(text, "nflogctl/config.yaml")

    def settings(self, *args, env=None):
        """What nflogctl config says: {option: (values, where)}."""
        out, _ = self.run_ctl("config", "-o", "json", *args, env=env or {})
        return {one["option"]: (one["values"], one.get("where", one["origin"]))
                for one in map(json.loads, out.splitlines())}

    def refused(self, text, *args):
        """The complaints about a file, without the path in front."""
        path = self.write(text)
        _, err = self.run_ctl("--config", path, "config", *args, expect=2, env={})
        lines = err.splitlines()
        for line in lines:
            self.assertTrue(line.startswith(f"nflogctl: {path}:"), line)
        return [line[len(f"nflogctl: {path}:"):] for line in lines]


class Precedence(ConfigTest):
    def test_without_anything_all_are_defaults(self):
        settings = self.settings()
        self.assertEqual(settings["server"], (["unix:/run/nflogd/nflogd.sock"], "default"))
        self.assertEqual(settings["tls-ca"], ([], "default"))
        self.assertEqual({where for _, where in settings.values()}, {"default"})

    def test_option_before_environment_before_file_before_default(self):
        path = self.write_default("server: of-file:1\ntls_ca: ca.file\ntls_key: key.file\n"
                                  "utc: true\n")
        env = {"NFLOGCTL_SERVER": "of-env:1", "NFLOGCTL_TLS_CA": "ca.env"}
        settings = self.settings("-s", "of-line:1", env=env)
        self.assertEqual(settings["server"], (["of-line:1"], "option"))
        self.assertEqual(settings["tls-ca"], (["ca.env"], "NFLOGCTL_TLS_CA"))
        self.assertEqual(settings["tls-key"], (["key.file"], f"{path}:3:10"))
        self.assertEqual(settings["utc"], (["true"], f"{path}:4:6"))
        self.assertEqual(settings["tls-cert"], ([], "default"))

    def test_an_option_counts_before_and_after_the_command(self):
        for args in ("--tls-ca", "x", "config"), ("config", "--tls-ca", "x"):
            out, _ = self.run_ctl(*args, env={"NFLOGCTL_TLS_CA": "y"})
            line, = (one for one in out.splitlines() if "--tls-ca" in one)
            self.assertEqual(line.split(), ["--tls-ca", "x", "command", "line"])

    def test_a_list_is_taken_as_a_whole_from_one_place(self):
        path = self.write_default("server:\n  - one:1\n  - two:2\n")
        self.assertEqual(self.settings()["server"], (["one:1", "two:2"], f"{path}:2:5"))
        self.assertEqual(self.settings(env={"NFLOGCTL_SERVER": "a:1,b:2"})["server"],
                         (["a:1", "b:2"], "NFLOGCTL_SERVER"))
        self.assertEqual(self.settings("-s", "x:1", "-s", "y:2")["server"],
                         (["x:1", "y:2"], "option"))

    def test_an_empty_variable_is_none(self):
        self.assertEqual(self.settings(env={"NFLOGCTL_SERVER": ""})["server"][1], "default")

    def test_a_flag_can_be_said_to_be_off(self):
        self.write_default("utc: true\n")
        self.assertEqual(self.settings(env={"NFLOGCTL_UTC": "false"})["utc"],
                         (["false"], "NFLOGCTL_UTC"))

    def test_the_table_says_which_file(self):
        out, _ = self.run_ctl("config", env={})
        self.assertTrue(out.endswith(f"\nfile: {self.folder}/nflogctl/config.yaml (not there)\n"),
                        out)
        path = self.write("")
        out, _ = self.run_ctl("config", env={"NFLOGCTL_CONFIG": path})
        self.assertTrue(out.endswith(f"\nfile: {path}\n"), out)

    def test_home_is_where_the_file_is_without_xdg(self):
        os.makedirs(os.path.join(self.folder, ".config/nflogctl"))
        path = self.write("utc: true\n", ".config/nflogctl/config.yaml")
        settings = self.settings(env={"XDG_CONFIG_HOME": "", "HOME": self.folder})
        self.assertEqual(settings["utc"][1], f"{path}:1:6")

    def test_an_empty_name_is_no_file(self):
        self.write_default("broken")
        self.assertEqual(self.settings(env={"NFLOGCTL_CONFIG": ""})["utc"][1], "default")

    def test_bytes_of_a_setting_do_not_reach_the_terminal(self):
        out, _ = self.run_ctl("config", env={"NFLOGCTL_SERVER": "\x1b[2J"})
        self.assertIn("\\x1b[2J", out)
        self.assertNotIn("\x1b", out)


class Effect(ConfigTest):
    def test_a_server_and_utc_of_the_file_are_used(self):
        self.serve(ListSources=pb.ListSourcesResponse(sources=[source(1, "red", 100)]))
        self.write_default(f"server: {self.address}\nutc: true\n")
        out, _ = self.run_ctl("list", "sources", env={"TZ": "Asia/Tokyo"})
        self.assertIn("2026-01-02 03:04:05", out)

    def test_tls_of_the_file_is_not_for_a_unix_socket(self):
        self.serve(ListSources=pb.ListSourcesResponse(sources=[source(1, "red", 100)]))
        self.write_default(f"server: {self.address}\ntls: true\ntls_ca: /nonexistent\n"
                           "tls_cert: /nonexistent\ntls_name: x\n")
        self.assertIn("red", self.run_ctl("list", "sources", env={})[0])

    def test_a_command_that_talks_to_one_server_refuses_several(self):
        _, err = self.run_ctl("status", expect=2, env={"NFLOGCTL_SERVER": "/a,/b"})
        self.assertIn("2 servers are set: this command talks to one; choose it by --server", err)


class Mistakes(ConfigTest):
    def test_every_mistake_is_told_with_its_place(self):
        self.assertEqual(self.refused("server: x\n  \n"
                                      "colour: auto\n"
                                      "color: sometimes\n"
                                      "utc: yes\n"
                                      "connect_timeout: [1, 2]\n"
                                      "tls_ca: { a: b }\n"
                                      "server: y\n"), [
            "3:1: unknown key 'colour'; nflogctl config lists those there are",
            "4:8: color: expected auto, always or never, not 'sometimes'",
            "5:6: utc: expected true or false, not 'yes'",
            "6:19: connect_timeout: expected one value, not a list, not '1'",
            "6:22: connect_timeout: expected one value, not a list, not '2'",
            "7:9: tls_ca: expected a text, not a map",
            "8:1: server is given twice"])

    def test_what_yaml_has_and_settings_have_not_is_told(self):
        for text, told in (("- server", "1:1: expected a map of settings"),
                           ("server: &a x", "1:9: anchors (&) are not allowed"),
                           ("server: [x", "2:1: "),
                           ("server: x\n---\nserver: y", "2:1: a second document"),
                           ("server: \"a\\0b\"", "1:9: server: expected a text"),
                           ("tls-ca: x", "1:1: unknown key 'tls-ca'"),
                           ("server:", "1:8: server: expected a text, not nothing")):
            with self.subTest(text):
                self.assertTrue(self.refused(text)[0].startswith(told), self.refused(text))

    def test_a_file_that_was_asked_for_must_be_there(self):
        for args, env in ((("--config", "/nonexistent"), {}),
                          ((), {"NFLOGCTL_CONFIG": "/nonexistent"})):
            _, err = self.run_ctl(*args, "config", expect=1, env=env)
            self.assertIn("/nonexistent: cannot be read: No such file or directory", err)

    def test_a_file_that_nobody_named_need_not_be_there(self):
        self.write("", "nflogctl")  # no folder
        self.assertEqual(self.settings()["utc"][1], "default")

    def test_a_mistake_in_the_file_stops_every_command(self):
        self.serve()
        self.write_default("nonsense: 1\n")
        for command in ("status",), ("list", "netns"), ("subscribe",):
            _, err = self.run_ctl(*command, expect=2)
            self.assertIn("config.yaml:1:1: unknown key 'nonsense'", err)
        self.assertEqual(self.service.requests, [])
        self.assertIn("Usage", self.run_ctl("help")[0])

    def test_a_mistake_in_the_environment_names_the_variable(self):
        for name, value, told in (("CONNECT_TIMEOUT", "soon", "expected seconds"),
                                  ("UTC", "1", "expected true or false"),
                                  ("COLOR", "red", "expected auto, always or never")):
            _, err = self.run_ctl("config", expect=2, env={f"NFLOGCTL_{name}": value})
            self.assertIn(f"NFLOGCTL_{name}={value}: {told}", err)


if __name__ == "__main__":
    unittest.main()
