# SPDX-License-Identifier: MIT
"""nflogctl complete, and the scripts of nflogctl completion in the shells themselves."""
import os
import subprocess
import time
import unittest

import fake
from fake import pb
from terminal import Terminal

NAMES = ["red", "blue", "re d$(touch x);'", "re\x1b[2J", "r\nx"]


class CompletionTest(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.serve(ListNetns=pb.ListNetnsResponse(
            netns=[pb.Netns(name=name, groups=[100, 7]) for name in NAMES]))

    def candidates(self, *words, **kwargs):
        """Without what they are."""
        out, err = self.run_ctl("complete", "--", *words, **kwargs)
        return [line.split("\t")[0] for line in out.splitlines()], err


class Complete(CompletionTest):
    def test_commands(self):
        self.assertEqual(self.candidates("st")[0], ["stats", "status"])
        names = self.candidates("")[0]
        self.assertIn("help", names)
        self.assertNotIn("complete", names)
        self.assertEqual(self.candidates("help", "wh")[0], ["whoami"])
        self.assertEqual(self.candidates("help", "top", "")[0], [])

    def test_arguments_of_commands(self):
        self.assertEqual(self.candidates("list", "")[0], ["netns", "sources"])
        self.assertEqual(self.candidates("list", "--utc", "-o", "json", "s")[0], ["sources"])
        self.assertEqual(self.candidates("list", "netns", "")[0], [])
        self.assertEqual(self.candidates("completion", "")[0], ["bash", "zsh", "fish"])
        self.assertEqual(self.candidates("frobnicate", "")[0], [])

    def test_options_are_those_of_the_command_and_the_common_ones(self):
        self.assertEqual(self.candidates("list", "--u")[0], ["--utc"])
        self.assertEqual(self.candidates("--u")[0], [])
        self.assertEqual(self.candidates("subscribe", "--tls-c")[0], ["--tls-ca", "--tls-cert"])
        self.assertEqual(self.candidates("subscribe", "--", "--tls-c")[0], [])

    def test_values_that_are_words(self):
        for words in (["-o", "j"], ["--output", "j"], ["-qo", "j"], ["--output", "=", "j"]):
            self.assertEqual(self.candidates("list", *words)[0], ["json"], words)
        self.assertEqual(self.candidates("list", "--output", "=")[0], ["table", "json"])
        self.assertEqual(self.candidates("list", "--output=j")[0], ["--output=json"])
        self.assertIn("compact", self.candidates("subscribe", "-o", "")[0])

    def test_every_word_that_is_offered_is_taken(self):
        for option in "--output", "--color", "--view", "--slow", "--time-format", "--link", "--proto", \
                "--ip-version", "--hook", "--ether-type", "--family":
            words = self.candidates("subscribe", option, "")[0]
            self.assertGreater(len(words), 1)
            for word in words:
                _, err = self.run_ctl("subscribe", option, word, "--frob", expect=2)
                self.assertIn("unknown option --frob", err)

    def test_files_are_left_to_the_shell(self):
        for words in ["--token-file", ""], ["--tls-ca=/e"], ["subscribe", "--resume-file", "x"]:
            out, _ = self.run_ctl("complete", "--", *words)
            self.assertEqual(out, "\tfiles\n")

    def test_names_and_groups_are_those_of_the_server_now(self):
        self.assertEqual(self.candidates("subscribe", "-n", "r")[0], ["red", NAMES[2]])
        self.assertEqual(self.candidates("top", "--netns=b")[0], ["--netns=blue"])
        self.assertEqual(sorted(set(self.candidates("subscribe", "-g", "")[0])), ["100", "7"])

    def test_the_server_is_the_one_that_the_words_name(self):
        for words in (["-s", self.address, "subscribe"], ["subscribe", "--server=" + self.address],
                      ["subscribe", "-qs", self.address], ["-s" + self.address, "subscribe"]):
            names = self.candidates(*words, "-n", "b", env={"NFLOGCTL_SERVER": "/nonexistent"})[0]
            self.assertEqual(names, ["blue"], words)

    def test_a_server_that_is_away_or_silent_is_not_waited_for(self):
        for answers in {"ListNetns": lambda request, context: self.wait()}, {}:
            self.serve(**answers)
            begin = time.monotonic()
            self.assertEqual(self.candidates("subscribe", "-n", "")[0], [])
            self.assertLess(time.monotonic() - begin, fake.PATIENCE_S / 2)
        self.assertEqual(self.candidates("subscribe", "-n", "", env={"NFLOGCTL_SERVER": "/x"})[0], [])

    def test_a_broken_configuration_costs_the_names_only(self):
        env = {"NFLOGCTL_CONFIG": "/nonexistent", "NFLOGCTL_SERVER": self.address}
        self.assertEqual(self.candidates("subscribe", "-n", "", env=env)[0], [])
        self.assertEqual(self.candidates("list", "-o", "", env=env)[0], ["table", "json"])
        self.run_ctl("completion", "bash", env=env)


class Shells(CompletionTest):
    def setUp(self):
        super().setUp()
        self.environment = {"PATH": os.path.dirname(fake.NFLOGCTL) + ":/usr/bin:/bin",
                            "NFLOGCTL_SERVER": self.address, "HOME": self.folder,
                            "XDG_CONFIG_HOME": self.folder, "LC_ALL": "C.UTF-8"}
        os.mkdir(os.path.join(self.folder, "here"))
        self.here = os.path.join(self.folder, "here")
        with open(os.path.join(self.here, "token file"), "w", encoding="ascii"):
            pass

    def script(self, shell):
        path = os.path.join(self.folder, shell)
        with open(path, "w", encoding="ascii") as f:
            f.write(self.run_ctl("completion", shell)[0])
        return path

    def shell(self, *argv):
        done = subprocess.run(argv, env=self.environment, cwd=self.here, check=False,
                              capture_output=True, text=True, timeout=fake.PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def bash(self, *words):
        """What is put in place of the last word."""
        return self.shell("bash", "-c", 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
                          '_nflogctl nflogctl "${!#}"; printf "%s\\n" "${COMPREPLY[@]}"',
                          self.script("bash"), "nflogctl", *words).splitlines()

    def test_the_scripts_are_sound(self):
        self.shell("bash", "-n", self.script("bash"))
        self.shell("zsh", "-n", self.script("zsh"))
        self.shell("fish", "--no-execute", self.script("fish"))

    def test_an_unknown_shell_is_wrong_usage(self):
        for args in [], ["tcsh"], ["bash", "zsh"]:
            _, err = self.run_ctl("completion", *args, expect=2)
            self.assertIn("expected one of bash, zsh, fish", err)

    def test_bash(self):
        self.assertEqual(self.bash("st"), ["stats", "status"])
        self.assertEqual(self.bash("subscribe", "--netns", "re"),
                         ["red", "re\\ d\\$\\(touch\\ x\\)\\;\\'"])
        self.assertEqual(self.bash("list", "--output", "="), ["table", "json"])
        self.assertEqual(self.bash("--token-file", "to"), ["token file"])

    def test_fish(self):
        complete = lambda line: self.shell(  # noqa: E731
            "fish", "--no-config", "-c", f"source {self.script('fish')}; complete -C '{line}'"
        ).splitlines()
        self.assertEqual([line.split("\t")[0] for line in complete("nflogctl st")],
                         ["stats", "status"])
        self.assertEqual(complete("nflogctl subscribe --netns bl"), ["blue"])
        self.assertEqual(complete("nflogctl subscribe -g 1"), ["100"])
        self.assertEqual(complete("nflogctl --token-file tok"), ["token file"])

    def zsh(self, *commands):
        """On a terminal, with an empty line."""
        terminal = Terminal(["zsh", "-f"], self.environment)
        self.addCleanup(terminal.close)
        terminal.type("; ".join(["PS1='ready: '", *commands, f"cd {self.here}", "clear"]) + "\n")
        terminal.wait_for("a prompt", lambda lines: lines[0] == "ready:")
        return terminal

    def test_zsh_finds_the_script_in_a_folder_of_its_own(self):
        folder = os.path.join(self.folder, "functions")
        os.mkdir(folder)
        os.rename(self.script("zsh"), os.path.join(folder, "_nflogctl"))
        terminal = self.zsh(f"fpath=({folder} $fpath)", "autoload -U compinit; compinit -u -D")
        for _ in range(2):  # the first time it is loaded, then it is there
            terminal.type("nflogctl subscribe --netns bl\t")
            terminal.wait_for("the name", lambda lines: lines[0].endswith(" --netns blue"))
            terminal.type("\x15")
            terminal.wait_for("an empty line", lambda lines: lines[0] == "ready:")

    def test_zsh(self):
        terminal = self.zsh("autoload -U compinit; compinit -D", f"source {self.script('zsh')}")
        for typed, shown in (("nflogctl subscribe --netns bl\t", "nflogctl subscribe --netns blue"),
                             ("nflogctl subscribe -n re\\ \t",
                              "nflogctl subscribe -n re\\ d\\$\\(touch\\ x\\)\\;\\'"),
                             ("nflogctl list --output=j\t", "nflogctl list --output=json"),
                             ("nflogctl --token-file tok\t", "nflogctl --token-file token\\ file")):
            terminal.type(typed)
            terminal.wait_for(shown, lambda lines, shown=shown: lines[0] == "ready: " + shown)
            terminal.type("\x15")  # the line is empty again
            terminal.wait_for("an empty line", lambda lines: lines[0] == "ready:")
        terminal.type("nflogctl st\t\t")
        terminal.wait_text("stats  show the counters")
        self.assertEqual(os.listdir(self.here), ["token file"])


if __name__ == "__main__":
    unittest.main()
