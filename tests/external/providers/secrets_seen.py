"""The values that must not be in a log: all secrets and e-mail addresses of the calls."""

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
        """Collects all secrets in a message."""
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
        """The secrets that a text contains: plain, in a URL or in JSON. Skips short values, which can appear by chance."""
        spelt = {form for value in self.values for form in (value, urllib.parse.quote(value, safe=""), quoted(value))}
        return sorted(value for value in spelt if len(value) > 7 and value in text)


def quoted(value):
    """The value as JSON writes it."""
    return json.dumps(value)[1:-1]


def parts(value):
    """The parts of a value that are secrets themselves."""
    if value.startswith("http"):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(value).query))
        return [query[name] for name in NAMES if name in query]
    if value.startswith("Basic "):
        text = base64.b64decode(value[6:]).decode()
        return [value[6:], text, text.split(":", 1)[1]]
    if value.count(".") == 2:
        # The claims and the signature of a JWT; its header is not secret.
        return value.split(".")[1:]
    return []
