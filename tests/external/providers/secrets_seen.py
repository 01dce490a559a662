"""What nobody may read in a log: every secret that came by, and every e-mail address."""

import base64
import json
import threading
import urllib.parse

NAMES = {
    "access_token",
    "authorization",
    "authorization_url",
    "client_assertion",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "email",
    "flow",
    "grant",
    "id_token",
    "link_access_token",
    "nonce",
    "refresh_token",
    "state",
    "token",
}


class Secrets:
    def __init__(self):
        self.values = set()
        self.lock = threading.Lock()

    def add(self, *values):
        with self.lock:
            self.values.update(value for value in values if value)

    def see(self, message):
        """Takes every secret out of a message."""
        if isinstance(message, dict):
            for name, value in message.items():
                if isinstance(value, str) and name in NAMES:
                    self.add(value, *parts(value))
                else:
                    self.see(value)
        elif isinstance(message, (list, tuple)):
            for item in message:
                self.see(item)

    def found_in(self, text):
        """Those that a text has, as they are, in a URL or in JSON. What is shorter than a secret may be there by chance."""
        spelt = {form for value in self.values for form in (value, urllib.parse.quote(value, safe=""), quoted(value))}
        return sorted(value for value in spelt if len(value) > 7 and value in text)


def quoted(value):
    """As JSON spells it."""
    return json.dumps(value)[1:-1]


def parts(value):
    """What is in it that is secret by itself."""
    if value.startswith("http"):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(value).query))
        return [query[name] for name in NAMES if name in query]
    if value.startswith("Basic "):
        text = base64.b64decode(value[6:]).decode()
        return [value[6:], text, text.split(":", 1)[1]]
    if value.count(".") == 2:
        # The claims and the signature of a JWT; its header is everybody's.
        return value.split(".")[1:]
    return []
