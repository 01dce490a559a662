"""Rejected sign-ins: each with its reason and its row in the auth log."""

from providers.client import CALLBACK, Browser, refused
from support.steps import step

UNAUTHENTICATED = "UNAUTHENTICATED"
MISCONFIGURED = ("FAILED_PRECONDITION", "PROVIDER_MISCONFIGURED")


def failed(world, refusal):
    """The only row of a failed sign-in: its reason and provider."""
    (action, outcome, reason, provider, _email), = world.logged(refusal.request_id)
    assert (action, outcome) == ("SIGN_IN_DENIED", "FAILED"), world.logged(refusal.request_id)
    return reason, provider


def is_refused(world, callback, reason, provider, fault=None):
    """Checks that SignIn fails and writes only its row in the auth log."""
    before = world.counts()
    refusal = refused(world.one.sign_in, callback)
    assert (refusal.code, refusal.reason) == (UNAUTHENTICATED, reason), refusal
    assert failed(world, refusal) == (fault or reason, provider)
    assert refusal.fault == fault, refusal
    assert world.counts() == before


def redeemed(world, callback):
    """The number of token requests with this code."""
    return sum(line["sent"].get("code") == callback["code"] for line in world.record("alpha"))


def bent(text, place):
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@step
def a_flow_signs_in_once(world):
    callback = world.one.log_in("basic", world.somebody())
    assert world.one.sign_in(callback)[0] == "allowed"
    is_refused(world, callback, "FLOW_USED", "basic")
    assert redeemed(world, callback) == 1


@step
def a_flow_is_rejected_with_the_response_of_another_provider(world):
    for mine, theirs in [("basic", "other"), ("basic", "public")]:
        visitor = Browser()
        flow = world.one.begin(mine)["flow"]
        answer = world.one.log_in(theirs, world.somebody(), visitor)
        is_refused(world, answer | {"flow": flow}, "FLOW_INVALID", mine)
        is_refused(world, answer | {"flow": flow, "provider": mine}, "STATE_MISMATCH", mine)
        # The failed calls did not use its own flow.
        assert world.one.sign_in(answer)[0] == "allowed"


@step
def a_response_at_the_route_of_another_provider_is_rejected(world):
    """The mix-up of RFC 9700 section 4.4 without an `iss`: Gatepass does not redeem the code."""
    callback = world.one.log_in("basic", world.somebody())
    for route in ["other", "public", "nobody"]:
        is_refused(world, callback | {"provider": route}, "FLOW_INVALID", "basic")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def a_response_with_another_issuer_is_rejected(world):
    """The mix-up of RFC 9700 section 4.4: state and flow are valid, but the issuer is another one."""
    callback = world.one.log_in("basic", world.somebody())
    bad = [world.issuer("beta"), world.issuer("alpha") + "/", "https://evil.example", ""]
    for iss in bad:
        is_refused(world, callback | {"iss": iss}, "STATE_MISMATCH", "basic", "ISSUER_MISMATCH")
    without = {name: value for name, value in callback.items() if name != "iss"}
    is_refused(world, without, "STATE_MISMATCH", "basic", "ISSUER_MISMATCH")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def a_response_with_another_state_is_rejected(world):
    callback = world.one.log_in("basic", world.somebody())
    other = world.one.log_in("basic", world.somebody())
    for state in [other["state"], bent(callback["state"], 42), callback["state"] + "A", "x"]:
        is_refused(world, callback | {"state": state}, "STATE_MISMATCH", "basic")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def a_modified_flow_is_rejected(world):
    callback = world.one.log_in("basic", world.somebody())
    flow = callback["flow"]
    for bad in [*(bent(flow, place) for place in [0, 15, 40, len(flow) // 2, len(flow) - 5]), flow[:-4], flow + "A", "x"]:
        is_refused(world, callback | {"flow": bad}, "FLOW_INVALID", "basic")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def a_stolen_code_is_rejected(world):
    """A stolen code in the thief's own flow: the code verifier does not match the code."""
    stolen = world.one.log_in("basic", world.somebody("victim"))
    mine = world.one.log_in("basic", world.somebody("thief"))
    is_refused(world, mine | {"code": stolen["code"]}, "CREDENTIAL_INVALID", "basic", "CODE_REJECTED")
    # The failed call used the flow.
    is_refused(world, mine, "FLOW_USED", "basic")
    made_up = world.one.log_in("basic", world.somebody())
    is_refused(world, made_up | {"code": "made-up-by-somebody"}, "CREDENTIAL_INVALID", "basic", "CODE_REJECTED")


def cancels(world, provider, method):
    visitor = Browser()
    page = world.one.begin_in(visitor, provider)
    back = visitor.cancel(page)
    assert back.method == method and back.params["error"] == "access_denied" and "code" not in back.params, back
    before = world.counts()
    callback = world.one.callback_of(visitor, back)
    outcome, denied = world.one.sign_in(callback)
    assert (outcome, denied["reason"]) == ("denied", "DENIAL_REASON_PROVIDER_ERROR"), denied
    assert denied["detail"] == "access_denied", denied
    assert denied["redirect_to"] == "http://localhost:3000/auth/error?error=OAuthCallbackError", denied
    assert world.logged(denied["at"]) == [("SIGN_IN_DENIED", "DENIED", "PROVIDER_ERROR", provider, None)]
    assert world.counts() == before
    # The flow is still unused, so the person can continue with it.
    back = visitor.log_in(page, world.somebody())
    assert world.one.sign_in({"flow": callback["flow"], **back.params})[0] == "allowed"


@step
def a_person_who_cancels_at_the_provider_is_denied(world):
    cancels(world, "basic", "GET")


@step
def a_person_who_cancels_at_a_posting_provider_is_denied(world):
    cancels(world, "posted", "POST")


@step
def a_wrong_client_secret_is_a_fault_of_the_configuration(world):
    before = world.counts()
    refusal = refused(world.one.sign_in, world.one.log_in("forgetful", world.somebody()))
    assert (refusal.code, refusal.reason) == MISCONFIGURED, refusal
    assert failed(world, refusal) == ("PROVIDER_MISCONFIGURED", "forgetful")
    assert world.counts() == before


@step
def metadata_of_another_issuer_is_rejected(world):
    refusal = refused(world.one.begin, "misnamed")
    assert (refusal.code, refusal.reason) == MISCONFIGURED, refusal
    assert (refusal.fault, refusal.provider) == ("PROVIDER_METADATA_INVALID", "misnamed"), refusal


@step
def a_redirect_uri_outside_the_configuration_is_rejected(world):
    for place in ["http://localhost:3001/auth/callback", "http://localhost:3000@evil.example/", CALLBACK + "#x"]:
        refusal = refused(world.one.call, "BeginSignIn", {"provider": "basic", "redirect_uri": place})
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST"), (place, refusal)
    assert refused(world.one.begin, "nobody").reason == "PROVIDER_NOT_FOUND"
