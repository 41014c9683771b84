# SPDX-License-Identifier: MIT
"""README.md shows what is tested: its C block is subscribe.c, its links lead somewhere."""
import os
import re
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


class Readme(unittest.TestCase):
    def test_c_example_is_the_file_that_is_built(self):
        blocks = re.findall(r"^```c\n(.*?)^```", read("README.md"), re.DOTALL | re.MULTILINE)
        self.assertEqual(blocks, [read("tests/examples/subscribe.c")])

    def test_python_example_compiles(self):
        blocks = re.findall(r"^```python\n(.*?)^```", read("README.md"), re.DOTALL | re.MULTILINE)
        self.assertEqual(len(blocks), 1)
        compile(blocks[0], "README.md", "exec")

    def test_links_lead_to_files(self):
        for link in re.findall(r"\]\(([^)#]+)\)", read("README.md")):
            self.assertTrue(os.path.exists(os.path.join(TOP, link)), link)


if __name__ == "__main__":
    unittest.main()
