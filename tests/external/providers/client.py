"""A backend: its calls to Gatepass, and the browsers of its users."""

import itertools
import urllib.parse

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from idp import browser

# The redirect URI of the backend.
CALLBACK = "http://localhost:3000/auth/callback"

numbers = itertools.count(1)


class Refused(Exception):
    """The error of a failed call: its code, reason, fault, provider and request id."""

    def __init__(self, error, request_id):
        self.code, self.request_id = error.code().name, request_id
        self.reason, self.fault, self.provider = "", None, None
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                self.reason = info.reason
                self.fault, self.provider = info.metadata.get("fault"), info.metadata.get("provider")
        super().__init__(f"{self.code} {self.reason} {self.fault} of {self.provider}: {error.details()}")


class Browser(browser.Browser):
    """A person's browser, with the cookies of its flows."""

    def __init__(self):
        super().__init__()
        self.flows = {}

    def keep(self, begun):
        self.flows[begun["cookie"]["name"]] = begun["flow"]

    def flow_of(self, params):
        """Takes the flow from the cookie that the returned state names."""
        return self.flows.pop("gatepass_flow_" + params["state"][:16])


class Client:
    """A client of one replica."""

    def __init__(self, world, address, admin):
        from gatepass.v1 import auth_pb2, auth_pb2_grpc

        self.world, self.admin = world, admin
        self.channel = grpc.insecure_channel(address)
        self.messages, self.stub = auth_pb2, auth_pb2_grpc.AuthServiceStub(self.channel)

    def call(self, method, message, request_id=None):
        """Calls a method; returns a dictionary with the request id."""
        request_id = request_id or f"request-{next(numbers)}"
        self.world.seen.see(message)
        request = json_format.ParseDict(message, getattr(self.messages, f"{method}Request")())
        try:
            answer = getattr(self.stub, method)(request, timeout=60, metadata=[("x-request-id", request_id)])
        except grpc.RpcError as error:
            raise Refused(error, request_id) from None
        told = json_format.MessageToDict(answer, preserving_proto_field_name=True)
        self.world.seen.see(told)
        return told | {"at": request_id}

    def begin(self, provider, **more):
        return self.call("BeginSignIn", {"provider": provider, "redirect_uri": CALLBACK, **more})

    def begin_in(self, visitor, provider, **more):
        """Begins a sign-in and keeps the flow in the browser; returns the provider's URL."""
        begun = self.begin(provider, **more)
        visitor.keep(begun)
        return begun["authorization_url"]

    def log_in(self, provider, who, visitor=None, **more):
        """Logs in at the provider; returns the `oauth_callback` for SignIn."""
        visitor = visitor or Browser()
        back = visitor.log_in(self.begin_in(visitor, provider, **more), who)
        return {"provider": provider, **self.callback_of(visitor, back)}

    def callback_of(self, visitor, back):
        self.world.seen.see(back.params)
        return {"flow": visitor.flow_of(back.params), **back.params}

    def sign_in(self, callback, **more):
        """Calls SignIn with an `oauth_callback`; returns the outcome and its details."""
        return self.outcome({"oauth_callback": callback, **more})

    def sign_in_by_token(self, provider, token, **more):
        """Calls SignIn with an ID token, and a `nonce` or a `flow`."""
        request = {name: more.pop(name) for name in ["request_id", "link_access_token"] if name in more}
        return self.outcome({"id_token": {"provider": provider, "token": token, **more}, **request})

    def outcome(self, message):
        told = self.call("SignIn", message)
        at = told.pop("at")
        (outcome, details), = told.items()
        return outcome, details | {"at": at}

    def enter(self, provider, who, visitor=None, **more):
        """Signs a person in from the beginning; returns the details of `allowed`."""
        outcome, details = self.sign_in(self.log_in(provider, who, visitor, **more))
        assert outcome == "allowed", (provider, who, details)
        return details

    def tokens(self, allowed):
        return self.call("IssueToken", {"grant": allowed["grant"]})

    def session(self, tokens):
        return self.call("GetSession", {"access_token": tokens["access_token"]})["session"]


def asked(authorization_url):
    """The parameters of an authorization request."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(authorization_url).query))


def refused(function, *arguments, **more):
    """Calls a function that must fail; returns its error."""
    try:
        answer = function(*arguments, **more)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"not rejected: {answer}")
