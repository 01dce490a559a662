"""A complete client of Gatepass: signs a person in, then reads, refreshes and ends the session.

    pip install -r requirements.txt
    python client.py [HOST:PORT] [CALLER_KEY]

It generates the stubs from `proto/` into a temporary folder at run time; a real service does so in its build.
"""

import json
import pathlib
import secrets
import sys
import tempfile

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"

# All calls here are safe to retry: reads, RefreshToken within `session.refresh_retry_window`, and SignIn and IssueToken
# with a `request_id`.
SERVICE_CONFIG = {
    "methodConfig": [{
        "name": [{"service": "gatepass.v1.AuthService"}],
        "retryPolicy": {
            "maxAttempts": 4,
            "initialBackoff": "0.1s",
            "maxBackoff": "1s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}

# The timeout of a call with its retries, in seconds. It is below the server's own limit, so that the client decides.
DEADLINE = 4.0


def generate_stubs(folder):
    """Generates the modules of gatepass.v1 and makes them importable."""
    sources = [str(path) for path in sorted((PROTO / "gatepass" / "v1").glob("*.proto"))]
    wellknown = pathlib.Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{PROTO}", f"-I{wellknown}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main(arguments + sources) != 0:
        sys.exit("failed to compile the protos")
    sys.path.insert(0, folder)


def reason_of(error):
    """The reason of an error. A program decides by it and by the code."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info = error_details_pb2.ErrorInfo()
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info) and info.domain == "gatepass.v1":
            return info.reason
    # The same reason as text. It is absent if a proxy responded.
    return dict(error.trailing_metadata() or ()).get("gatepass-reason", "")


class Gatepass:
    """One channel for the life of the process; safe to share between threads."""

    def __init__(self, address, key):
        from gatepass.v1 import auth_pb2, auth_pb2_grpc, types_pb2

        self.pb, self.types = auth_pb2, types_pb2
        # In production: grpc.secure_channel, and `dns:///` with round_robin over the replicas.
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
            ("grpc.keepalive_time_ms", 60_000),
        ])
        self.stub = auth_pb2_grpc.AuthServiceStub(self.channel)
        self.metadata = [("authorization", f"Bearer {key}")] if key else []

    def call(self, method, request):
        return getattr(self.stub, method)(request, timeout=DEADLINE, metadata=self.metadata)

    def sign_in(self, profile, client, redirect_to):
        """Signs in: returns the tokens of a new session (None if denied) and the URL to send the person to."""
        request = self.pb.SignInRequest(
            profile=profile, client=client, redirect_to=redirect_to, request_id=secrets.token_urlsafe(32))
        answer = self.call("SignIn", request)
        outcome = answer.WhichOneof("outcome")
        if outcome == "denied":
            return None, answer.denied.redirect_to
        if outcome == "redirect":
            return None, answer.redirect.url
        tokens = self.call("IssueToken", self.pb.IssueTokenRequest(
            grant=answer.allowed.grant, client=client, request_id=secrets.token_urlsafe(32)))
        return tokens, answer.allowed.redirect_to

    def session(self, tokens):
        """Reads the session: returns it and the current tokens, or None if the person must sign in again."""
        for attempt in range(2):
            try:
                answer = self.call("GetSession", self.pb.GetSessionRequest(access_token=tokens.access_token))
                return answer.session, tokens
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                    raise
                reason = reason_of(error)
                if reason in ("TOKEN_EXPIRED", "TOKEN_STALE", "TOKEN_SIGNATURE_INVALID") and attempt == 0:
                    tokens = self.refresh(tokens)
                    if tokens is not None:
                        continue
                elif reason == "CALLER_UNKNOWN":
                    raise  # This caller's own key is wrong; a new sign-in would not help.
                return None

    def refresh(self, tokens):
        """Returns the next tokens, or None if the session has ended."""
        try:
            return self.call("RefreshToken", self.pb.RefreshTokenRequest(refresh_token=tokens.refresh_token))
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED and reason_of(error) != "CALLER_UNKNOWN":
                return None
            raise

    def sign_out(self, tokens):
        request = self.pb.SignOutRequest(refresh_token=tokens.refresh_token)
        return self.call("SignOut", request).sessions_ended


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    key = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as folder:
        generate_stubs(folder)
        gatepass = Gatepass(address, key)
        profile = gatepass.pb.ProfileCredential(
            provider="github", provider_account_id="583231", name="Mona Octocat",
            email="mona@example.com", email_verified=True)
        client = gatepass.types.Client(ip_address="203.0.113.7", user_agent="Mozilla/5.0")

        tokens, redirect_to = gatepass.sign_in(profile, client, "/dashboard")
        if tokens is None:
            sys.exit(f"denied: send the person to {redirect_to}")
        print("signed in:  send the person to", redirect_to)

        session, tokens = gatepass.session(tokens) or sys.exit("the session has ended")
        print("session:   ", session.user.name, session.user.role, session.provider)

        rotation = gatepass.pb.Rotation.Name
        first = gatepass.refresh(tokens)
        print("refreshed: ", rotation(first.rotation))
        again = gatepass.refresh(tokens)
        print("repeated:  ", rotation(again.rotation), "the same token:", again.refresh_token == first.refresh_token)

        answer = gatepass.call("ResolveRedirect", gatepass.pb.ResolveRedirectRequest(url="https://evil.example/"))
        print("redirect:  ", answer.url, gatepass.pb.Disposition.Name(answer.disposition))

        print("signed out:", gatepass.sign_out(again), "session")
        try:
            gatepass.call("GetSession", gatepass.pb.GetSessionRequest(access_token=again.access_token))
        except grpc.RpcError as error:
            print("afterwards:", error.code().name, reason_of(error))


if __name__ == "__main__":
    main()
