"""Apps that get an ID token from the provider themselves and send it to Gatepass."""

import base64
import hashlib
import json
import secrets
import urllib.parse
import urllib.request

from providers.client import CALLBACK, Browser, Refused, asked, refused
from providers.crowd import at_once
from providers.refusals import bent, failed
from support.steps import step


def token_of_app(world, who, nonce, issuer="alpha", client="gatepass-public"):
    """Logs in at the provider without Gatepass, as an app does; returns the ID token."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    request = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email profile",
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    back = Browser().log_in(f"{world.issuer(issuer)}/auth?{urllib.parse.urlencode(request)}", who)
    form = {
        "grant_type": "authorization_code",
        "code": back.params["code"],
        "redirect_uri": CALLBACK,
        "client_id": client,
        "code_verifier": verifier,
    }
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{world.issuer(issuer)}/token", data=data, timeout=30) as answer:
        told = json.load(answer)
    world.seen.see([request, form, told])
    return told["id_token"]


def a_nonce():
    return secrets.token_urlsafe(24)


def is_refused(world, provider, token, fault, **binding):
    before = world.counts()
    refusal = refused(world.one.sign_in_by_token, provider, token, **binding)
    assert (refusal.code, refusal.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID"), refusal
    assert (refusal.fault, refusal.provider) == (fault, provider), refusal
    assert failed(world, refusal) == (fault, provider)
    assert world.counts() == before


@step
def an_id_token_signs_in_once_with_its_nonce(world):
    for provider, client in [("public", "gatepass-public"), ("public-es256", "gatepass-public-es256")]:
        who, nonce = world.somebody(), a_nonce()
        token = token_of_app(world, who, nonce, client=client)
        outcome, allowed = world.one.sign_in_by_token(provider, token, nonce=nonce)
        assert outcome == "allowed" and allowed["user"]["email"] == f"{who}@company.com", allowed
        assert "provider_tokens" not in allowed, allowed
        assert world.one.session(world.one.tokens(allowed))["provider"] == provider
        is_refused(world, provider, token, "ID_TOKEN_USED", nonce=nonce)


@step
def an_id_token_signs_in_with_a_flow_and_uses_it(world):
    begun = world.one.begin("public")
    nonce, flow = asked(begun["authorization_url"])["nonce"], begun["flow"]
    is_refused(world, "public", token_of_app(world, world.somebody(), a_nonce()), "ID_TOKEN_NONCE_MISMATCH", flow=flow)
    outcome, _ = world.one.sign_in_by_token("public", token_of_app(world, world.somebody(), nonce), flow=flow)
    assert outcome == "allowed"
    another = token_of_app(world, world.somebody(), nonce)
    refusal = refused(world.one.sign_in_by_token, "public", another, flow=flow)
    assert refusal.reason == "FLOW_USED" and failed(world, refusal) == ("FLOW_USED", "public"), refusal


@step
def a_flow_of_another_provider_is_rejected_with_an_id_token(world):
    begun = world.one.begin("public-es256")
    token = token_of_app(world, world.somebody(), asked(begun["authorization_url"])["nonce"])
    refusal = refused(world.one.sign_in_by_token, "public", token, flow=begun["flow"])
    assert refusal.reason == "FLOW_INVALID" and failed(world, refusal) == ("FLOW_INVALID", "public"), refusal


@step
def an_id_token_for_another_sign_in_is_rejected(world):
    nonce = a_nonce()
    token = token_of_app(world, world.somebody(), nonce)
    elsewhere = token_of_app(world, world.somebody(), nonce, issuer="beta")
    claims = token.split(".")[1]
    is_refused(world, "public", token, "ID_TOKEN_NONCE_MISMATCH", nonce=a_nonce())
    is_refused(world, "post", token, "ID_TOKEN_AUDIENCE_MISMATCH", nonce=nonce)
    is_refused(world, "public", bent(token, token.rindex(".") + 20), "ID_TOKEN_SIGNATURE_INVALID", nonce=nonce)
    is_refused(world, "public", token.replace(claims, elsewhere.split(".")[1]), "ID_TOKEN_SIGNATURE_INVALID", nonce=nonce)
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    is_refused(world, "public", f"{unsigned}.{claims}.", "ID_TOKEN_MALFORMED", nonce=nonce)
    assert world.one.sign_in_by_token("public", token, nonce=nonce)[0] == "allowed"


@step
def of_parallel_sign_ins_with_one_id_token_one_succeeds(world):
    nonce, before = a_nonce(), world.counts()
    token = token_of_app(world, world.somebody(), nonce)

    def sign_in(_):
        try:
            return world.one.sign_in_by_token("public", token, nonce=nonce)[0]
        except Refused as refusal:
            assert (refusal.reason, refusal.fault) == ("CREDENTIAL_INVALID", "ID_TOKEN_USED"), refusal
            return "refused"

    answers = at_once(16, sign_in)
    assert sorted(answers) == ["allowed"] + ["refused"] * 15, answers
    assert world.counts() == [count + 1 for count in before]


@step
def the_id_token_of_a_login_does_not_sign_in_again(world):
    visitor = Browser()
    page = world.one.begin_in(visitor, "public")
    callback = world.one.callback_of(visitor, visitor.log_in(page, world.somebody()))
    _, allowed = world.one.sign_in(callback)
    token = allowed["provider_tokens"]["id_token"]
    is_refused(world, "public", token, "ID_TOKEN_USED", nonce=asked(page)["nonce"])


@step
def a_repeated_request_gets_the_same_grant(world):
    nonce, request_id = a_nonce(), secrets.token_urlsafe(24)
    token = token_of_app(world, world.somebody(), nonce)
    first, again = (
        world.one.sign_in_by_token("public", token, nonce=nonce, request_id=request_id)[1] for _ in range(2)
    )
    assert first["grant"] == again["grant"]
