"""Answers that let nobody in: each by its own reason, with its row in the auth log."""

from providers.client import CALLBACK, Browser, refused
from support.steps import step

UNAUTHENTICATED = "UNAUTHENTICATED"


def failed(world, refusal):
    """The one row of a sign-in that failed: its reason, and the provider."""
    (action, outcome, reason, provider, _email), = world.logged(refusal.request_id)
    assert (action, outcome) == ("SIGN_IN_DENIED", "FAILED"), world.logged(refusal.request_id)
    return reason, provider


def is_refused(world, callback, reason, provider, fault=None):
    """SignIn by this is refused, and leaves nothing but a row that says so."""
    before = world.counts()
    refusal = refused(world.one.sign_in, callback)
    assert (refusal.code, refusal.reason) == (UNAUTHENTICATED, reason), refusal
    assert failed(world, refusal) == (fault or reason, provider)
    assert refusal.fault == fault, refusal
    assert world.counts() == before


def redeemed(world, callback):
    """How often the provider was asked for the tokens of a code."""
    return sum(line["sent"].get("code") == callback["code"] for line in world.record("alpha"))


def bent(text, place):
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@step
def a_flow_lets_in_once(world):
    callback = world.one.log_in("basic", world.somebody())
    assert world.one.sign_in(callback)[0] == "allowed"
    is_refused(world, callback, "FLOW_USED", "basic")
    assert redeemed(world, callback) == 1


@step
def the_flow_of_one_provider_is_refused_with_the_answer_of_another(world):
    for mine, theirs in [("basic", "other"), ("basic", "public")]:
        visitor = Browser()
        flow = world.one.begin(mine)["flow"]
        answer = world.one.log_in(theirs, world.somebody(), visitor)
        is_refused(world, answer | {"flow": flow}, "FLOW_INVALID", mine)
        is_refused(world, answer | {"flow": flow, "provider": mine}, "STATE_MISMATCH", mine)
        # Its own flow was not used up by it.
        assert world.one.sign_in(answer)[0] == "allowed"


@step
def an_answer_at_the_route_of_another_provider_is_refused(world):
    """The mix-up of RFC 9700 section 4.4, where a provider sends no `iss`: nobody is asked to redeem the code."""
    callback = world.one.log_in("basic", world.somebody())
    for route in ["other", "public", "nobody"]:
        is_refused(world, callback | {"provider": route}, "FLOW_INVALID", "basic")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def an_answer_that_is_taken_to_be_another_issuers_is_refused(world):
    """The mix-up of RFC 9700 section 4.4: state and flow are right, who answers is not."""
    callback = world.one.log_in("basic", world.somebody())
    bad = [world.issuer("beta"), world.issuer("alpha") + "/", "https://evil.example", ""]
    for iss in bad:
        is_refused(world, callback | {"iss": iss}, "STATE_MISMATCH", "basic", "ISSUER_MISMATCH")
    without = {name: value for name, value in callback.items() if name != "iss"}
    is_refused(world, without, "STATE_MISMATCH", "basic", "ISSUER_MISMATCH")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def an_answer_with_another_state_is_refused(world):
    callback = world.one.log_in("basic", world.somebody())
    other = world.one.log_in("basic", world.somebody())
    for state in [other["state"], bent(callback["state"], 42), callback["state"] + "A", "x"]:
        is_refused(world, callback | {"state": state}, "STATE_MISMATCH", "basic")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def a_flow_that_was_tampered_with_is_refused(world):
    callback = world.one.log_in("basic", world.somebody())
    flow = callback["flow"]
    for bad in [*(bent(flow, place) for place in [0, 15, 40, len(flow) // 2, len(flow) - 5]), flow[:-4], flow + "A", "x"]:
        is_refused(world, callback | {"flow": bad}, "FLOW_INVALID", "basic")
    assert redeemed(world, callback) == 0
    assert world.one.sign_in(callback)[0] == "allowed"


@step
def the_code_of_somebody_else_proves_nobody(world):
    """A code that was stolen and put into the thief's own flow: the verifier is not the one that it was asked with."""
    stolen = world.one.log_in("basic", world.somebody("victim"))
    mine = world.one.log_in("basic", world.somebody("thief"))
    is_refused(world, mine | {"code": stolen["code"]}, "CREDENTIAL_INVALID", "basic", "CODE_REJECTED")
    # The flow is used up with it, whatever comes next.
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
    # The flow was left unused: who thinks again may go on with it.
    back = visitor.log_in(page, world.somebody())
    assert world.one.sign_in({"flow": callback["flow"], **back.params})[0] == "allowed"


@step
def a_person_who_cancels_at_the_provider_is_denied(world):
    cancels(world, "basic", "GET")


@step
def a_person_who_cancels_where_the_answer_is_posted_is_denied(world):
    cancels(world, "posted", "POST")


@step
def a_client_that_the_provider_does_not_know_by_its_secret_lets_nobody_in(world):
    before = world.counts()
    outcome, denied = world.one.sign_in(world.one.log_in("forgetful", world.somebody()))
    assert (outcome, denied["reason"], denied["detail"]) == (
        "denied",
        "DENIAL_REASON_PROVIDER_ERROR",
        "invalid_client",
    ), denied
    assert world.logged(denied["at"]) == [("SIGN_IN_DENIED", "DENIED", "PROVIDER_ERROR", "forgetful", None)]
    assert world.counts() == before


@step
def an_issuer_that_says_it_is_another_is_not_gone_to(world):
    refusal = refused(world.one.begin, "misnamed")
    assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "PROVIDER_UNAVAILABLE"), refusal
    assert (refusal.fault, refusal.provider) == ("PROVIDER_METADATA_INVALID", "misnamed"), refusal


@step
def nobody_is_sent_where_the_configuration_does_not_say(world):
    for place in ["http://localhost:3001/auth/callback", "http://localhost:3000@evil.example/", CALLBACK + "#x"]:
        refusal = refused(world.one.call, "BeginSignIn", {"provider": "basic", "redirect_uri": place})
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST"), (place, refusal)
    assert refused(world.one.begin, "nobody").reason == "PROVIDER_NOT_FOUND"
