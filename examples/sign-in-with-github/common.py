"""Shared by all routes: the gRPC call, the check of the origin, and the error page."""

import os

import grpc
from flask import Flask, abort, render_template, request
from gatepass.v1 import auth_pb2 as pb, auth_pb2_grpc
from werkzeug.exceptions import HTTPException

ORIGIN = os.environ.get("ORIGIN", "http://localhost:3000")  # the public origin of this application
HTTPS = ORIGIN.startswith("https://")
TARGET = os.environ.get("GATEPASS_TARGET", "127.0.0.1:50051")
# ABORTED: the sign-in failed after its code was sent to the provider, so the person begins again.
STATUS = {
    "INVALID_ARGUMENT": 400,
    "PERMISSION_DENIED": 403,
    "ABORTED": 503,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

app = Flask(__name__, template_folder=".")
gatepass = auth_pb2_grpc.AuthServiceStub(grpc.insecure_channel(TARGET))


def ask(rpc, **fields):
    """Calls Gatepass. Returns None if a token or the response of GitHub is invalid or expired."""
    message = getattr(pb, rpc + "Request")(**fields)
    if "client" in message.DESCRIPTOR.fields_by_name:  # the person's browser, for the auth log
        message.client.ip_address = request.remote_addr
        message.client.user_agent = request.user_agent.string
    try:
        return getattr(gatepass, rpc)(message, timeout=10)
    except grpc.RpcError as error:
        code, reason = error.code().name, dict(error.trailing_metadata() or ()).get("gatepass-reason")
        if code == "UNAUTHENTICATED" and reason != "CALLER_UNKNOWN":
            return None
        app.logger.error("%s: %s %s", rpc, code, reason)  # never log the request: it contains tokens
        abort(STATUS.get(code, 500))


@app.before_request
def only_our_own_pages_may_post():
    if request.method == "POST" and request.headers.get("Origin") != ORIGIN:
        abort(403)


@app.errorhandler(HTTPException)
def failed(error):
    return render_template("page.html", status=error.code), error.code


@app.after_request
def never_stored(response):
    response.headers["Cache-Control"] = "no-store"
    return response
