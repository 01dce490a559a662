"""Second accounts: linked by a signed-in user, or by a verified e-mail if the provider allows it."""

from providers.client import refused
from providers.crowd import at_once
from providers.refusals import failed
from support.steps import step

REDIRECT = "http://localhost:3000/auth/error?error="


def link(world, tokens, provider, who, finish_with=None):
    """Links an account of a provider to a signed-in user; returns the outcome of SignIn and its details."""
    token = tokens["access_token"]
    callback = world.one.log_in(provider, who, link_access_token=token)
    more = {} if finish_with == "" else {"link_access_token": finish_with or token}
    return world.one.sign_in(callback, **more)


@step
def a_signed_in_user_links_an_account_of_another_provider(world):
    who, work = world.somebody(), world.somebody("work")
    allowed = world.one.enter("basic", who)
    tokens = world.one.tokens(allowed)
    outcome, linked = link(world, tokens, "other", work)
    assert outcome == "allowed" and linked["linked"] and "grant" not in linked, linked
    assert linked["user"]["id"] == allowed["user"]["id"] and linked["user"]["email"] == f"{who}@company.com", linked
    (row,) = world.logged(linked["at"])
    assert row[:4] == ("ACCOUNT_LINKED", "SUCCESS", None, "other"), row
    assert world.providers_of(allowed["user"]) == ["basic", "other"]
    # Both accounts sign in the same user, and the linking session continues.
    assert world.one.enter("other", work)["user"]["id"] == allowed["user"]["id"]
    assert world.one.enter("basic", who)["user"]["id"] == allowed["user"]["id"]
    assert world.one.session(tokens)["user"]["id"] == allowed["user"]["id"]


@step
def only_the_session_that_began_a_linking_completes_it(world):
    tokens = world.one.tokens(world.one.enter("basic", world.somebody()))
    stranger = world.one.tokens(world.one.enter("basic", world.somebody()))
    for other in [stranger["access_token"], ""]:
        refusal = refused(link, world, tokens, "other", world.somebody(), finish_with=other)
        assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "REAUTHENTICATION_REQUIRED"), refusal
        assert failed(world, refusal) == ("REAUTHENTICATION_REQUIRED", "other")
    assert world.one.call("SignOut", {"access_token": tokens["access_token"]})["sessions_ended"] == 1
    refusal = refused(world.one.begin, "other", link_access_token=tokens["access_token"])
    assert (refusal.code, refusal.reason) == ("UNAUTHENTICATED", "SESSION_REVOKED"), refusal


@step
def an_account_of_another_user_is_not_linked(world):
    theirs = world.somebody()
    owner = world.one.enter("other", theirs)["user"]
    tokens = world.one.tokens(world.one.enter("basic", world.somebody()))
    outcome, denied = link(world, tokens, "other", theirs)
    assert (outcome, denied["reason"]) == ("denied", "DENIAL_REASON_ACCOUNT_OWNED_BY_OTHER"), denied
    (row,) = world.logged(denied["at"])
    assert row[:4] == ("SIGN_IN_DENIED", "DENIED", "ACCOUNT_OWNED_BY_OTHER", "other"), row
    assert world.providers_of(owner) == ["other"]


@step
def a_verified_email_alone_links_no_account(world):
    who = world.somebody()
    user = world.one.enter("basic", who)["user"]
    outcome, denied = world.one.sign_in(world.one.log_in("other", who))
    assert (outcome, denied["reason"]) == ("denied", "DENIAL_REASON_ACCOUNT_NOT_LINKED"), denied
    assert denied["linked_providers"] == ["basic"], denied
    assert denied["redirect_to"] == REDIRECT + "OAuthAccountNotLinked", denied
    (row,) = world.logged(denied["at"])
    assert row == ("SIGN_IN_DENIED", "DENIED", "ACCOUNT_NOT_LINKED", "other", f"{who}@company.com"), row
    assert world.providers_of(user) == ["basic"]


@step
def a_trusted_provider_links_by_a_verified_email(world):
    who = world.somebody()
    user = world.one.enter("basic", who)["user"]
    allowed = world.one.enter("trusted", who)
    assert allowed["user"]["id"] == user["id"] and "grant" in allowed, allowed
    assert not allowed.get("is_new_user") and not allowed.get("linked"), allowed
    rows = [row[:4] for row in world.logged(allowed["at"])]
    assert ("ACCOUNT_LINKED", "SUCCESS", None, "trusted") in rows, rows
    assert world.providers_of(user) == ["basic", "trusted"]


@step
def of_two_parallel_linkings_of_one_account_one_succeeds(world):
    shared = world.somebody()
    sessions = [world.one.tokens(world.one.enter("basic", world.somebody())) for _ in range(2)]
    tokens = [session["access_token"] for session in sessions]
    callbacks = [world.one.log_in("other", shared, link_access_token=token) for token in tokens]
    answers = at_once(2, lambda number: world.one.sign_in(callbacks[number], link_access_token=tokens[number]))
    outcomes = sorted((outcome, details.get("reason")) for outcome, details in answers)
    assert outcomes == [("allowed", None), ("denied", "DENIAL_REASON_ACCOUNT_OWNED_BY_OTHER")], outcomes
