"""Logins through every kind of client."""

import json
import urllib.request

from providers.client import CALLBACK, Browser, asked, refused
from support.jwt import header_of
from support.steps import step

METHODS = ["basic", "post", "public", "key"]
ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def proof_of(request):
    """The authentication method of a request to the token endpoint."""
    sent = request["sent"]
    if request.get("authorization"):
        assert "client_secret" not in sent and "client_id" not in sent, sent
        return "basic"
    if "client_assertion" in sent:
        assert sent["client_assertion_type"] == ASSERTED and "client_secret" not in sent, sent
        return "key"
    return "post" if "client_secret" in sent else "public"


def goes_all_the_way(world, provider, algorithm, method="GET"):
    """Runs a login, tokens, the session and the sign-out, and checks every response."""
    who, one, visitor = world.somebody(), world.one, Browser()
    page = one.begin_in(visitor, provider, redirect_to="/inbox")
    query = asked(page)
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256"), query
    assert query["redirect_uri"] == CALLBACK and len(query["code_challenge"]) == 43, query
    back = visitor.log_in(page, who)
    assert back.method == method and back.url.split("?")[0] == CALLBACK, back
    assert set(back.params) == {"code", "state", "iss"} and back.params["iss"] == world.issuer("alpha"), back
    outcome, allowed = one.sign_in(one.callback_of(visitor, back))
    assert outcome == "allowed" and allowed["is_new_user"] and not allowed.get("linked"), allowed
    user, account, email = allowed["user"], allowed["account"], f"{who}@company.com"
    assert (user["email"], user["email_verified"], user["name"]) == (email, True, f"Test {who}"), user
    assert (account["provider"], account["provider_account_id"]) == (provider, who), account
    assert allowed["redirect_to"] == "http://localhost:3000/inbox", allowed
    assert world.logged(allowed["at"]) == [("SIGN_UP", "SUCCESS", None, provider, email)]
    if algorithm:
        assert header_of(allowed["provider_tokens"]["id_token"])["alg"] == algorithm
    # The provider's access token works.
    token = allowed["provider_tokens"]["access_token"]
    me = urllib.request.Request(f"{world.issuer('alpha')}/me", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(me, timeout=30) as answer:
        assert json.load(answer)["sub"] == who
    # The request to the token endpoint has the PKCE verifier.
    request, = [line for line in world.record("alpha") if line["sent"].get("code") == back.params["code"]]
    assert len(request["sent"]["code_verifier"]) >= 43, request

    tokens = one.tokens(allowed)
    assert world.logged(tokens["at"]) == [("TOKEN_ISSUED", "SUCCESS", None, provider, email)]
    session = one.session(tokens)
    assert (session["provider"], session["user"]["id"]) == (provider, user["id"]), session
    again = one.enter(provider, who, visitor)
    assert again["user"]["id"] == user["id"] and not again.get("is_new_user"), again
    assert world.logged(again["at"]) == [("SIGN_IN", "SUCCESS", None, provider, email)]
    assert world.providers_of(user) == [provider]

    out = one.call("SignOut", {"access_token": tokens["access_token"]})
    assert out["sessions_ended"] == 1, out
    assert world.logged(out["at"]) == [("SIGN_OUT", "SUCCESS", None, provider, email)]
    assert refused(one.session, tokens).reason == "SESSION_REVOKED"
    return request


def login_by(method, algorithm):
    provider = method if algorithm == "RS256" else f"{method}-es256"

    def login(world):
        request = goes_all_the_way(world, provider, algorithm)
        assert proof_of(request) == method, request

    login.__name__ = f"a_person_logs_in_by_a_{method}_client_whose_id_tokens_are_{algorithm}"
    return login


for every_method in METHODS:
    for every_algorithm in ["RS256", "ES256"]:
        step(login_by(every_method, every_algorithm))


@step
def a_provider_returns_the_person_by_a_posted_form(world):
    begun = world.one.begin("posted")
    assert begun["cookie"]["same_site"] == "None" and begun["cookie"]["max_age"] == "900s", begun["cookie"]
    assert world.one.begin("basic")["cookie"]["same_site"] == "Lax"
    goes_all_the_way(world, "posted", "RS256", method="POST")


@step
def a_person_logs_in_by_oauth_without_an_id_token(world):
    goes_all_the_way(world, "plain", None)


@step
def an_email_from_the_userinfo_endpoint_is_used(world):
    who = world.somebody()
    user = world.one.enter("userinfo", who)["user"]
    assert (user["email"], user["email_verified"], user["name"]) == (f"{who}@company.com", True, f"Test {who}"), user


@step
def an_unverified_email_identifies_no_user(world):
    who = world.somebody("unverified")
    first = world.one.enter("basic", who)["user"]
    assert first["email"] == f"{who}@company.com" and not first.get("email_verified"), first
    # At another provider, even one that links, it belongs to a new user.
    for provider in ["other", "trusted"]:
        another = world.one.enter(provider, who)
        assert another["is_new_user"] and another["user"]["id"] != first["id"], (provider, another)
    assert world.providers_of(first) == ["basic"]
    # A Gatepass that requires verified addresses rejects the sign-in.
    strict = world.start_gatepass("strict", GATEPASS_SIGN_IN__REQUIRE_VERIFIED_EMAIL="true")
    outcome, denied = strict.sign_in(strict.log_in("basic", world.somebody("unverified")))
    assert (outcome, denied["reason"]) == ("denied", "DENIAL_REASON_EMAIL_NOT_VERIFIED"), denied
    (row,) = world.logged(denied["at"])
    assert row[:4] == ("SIGN_IN_DENIED", "DENIED", "EMAIL_NOT_VERIFIED", "basic"), row
    assert world.stop("strict") == 0


@step
def authorization_parameters_reach_the_provider(world):
    more = {"authorization_params": {"login_hint": "ada & eve=é"}, "scopes": ["email"]}
    page = world.one.begin("basic", **more)["authorization_url"]
    assert set(asked(page)["scope"].split()) == {"openid", "email"}, asked(page)
    visitor = Browser()
    shown = visitor.go(visitor.go(page).location).text
    assert 'value="ada &amp; eve=é"' in shown, shown
