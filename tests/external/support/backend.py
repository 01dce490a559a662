"""Calls to Gatepass from another backend, with grpcurl."""

import base64
import json
import re
import subprocess


class Backend:
    """A mixin for `Programs` that calls its Gatepass."""

    def call(self, method, message):
        """Calls a method; returns the message, or the reason of the error."""
        command = ["grpcurl", "-plaintext", "-d", json.dumps(message), self.address, f"gatepass.v1.{method}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode == 0:
            return json.loads(done.stdout)
        # grpcurl does not decode ErrorInfo: the first field of the raw message is the reason.
        info = base64.b64decode(re.search(r'"@value": *"([^"]+)"', done.stderr)[1])
        return info[2:2 + info[1]].decode()

    def user(self, email):
        """The user with this e-mail address, or None."""
        found = self.call("AdminService/GetUser", {"email": email})
        return None if found == "USER_NOT_FOUND" else found["user"]

    def change(self, user, mask, **fields):
        message = {"user": {"id": user["id"], **fields}, "update_mask": {"paths": mask.split(",")}}
        return self.call("AdminService/UpdateUser", message)["user"]
