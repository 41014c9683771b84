# SPDX-License-Identifier: MIT
"""The example of README.md prints packets and losses, and what the server says at the end."""
import os
import unittest

import fake

fake.NFLOGCTL = os.path.join(os.environ["NFL_BUILD"], "bin", "example_subscribe")


class Example(fake.CommandTest):
    def test_packets_of_the_namespace_are_printed(self):
        self.serve(Subscribe=[fake.started(), fake.batch(fake.packet(), fake.packet(2)),
                              fake.loss(3, 3)])
        out, err = self.run_ctl("red", self.address)
        self.assertEqual(len(out.splitlines()), 2)
        self.assertIn(" red/100 INPUT eth0> 10.0.1.60:4711 > 10.0.1.5:53 UDP ", out)
        self.assertEqual(err, "lost 3 packets\n")
        self.assertEqual(list(self.service.requests[0].netns), ["red"])

    def test_what_the_server_refuses_is_said(self):
        self.serve(Subscribe=(fake.grpc.StatusCode.PERMISSION_DENIED, "not yours"))
        self.assertEqual(self.run_ctl("red", self.address, expect=1), ("", "PERMISSION_DENIED: not yours\n"))


if __name__ == "__main__":
    unittest.main()
