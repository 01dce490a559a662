"""Sign in with GitHub. Gatepass asks GitHub and keeps users and sessions; this backend keeps two cookies in the browser."""

from common import HTTPS, ORIGIN, app, ask, pb
from flask import abort, after_this_request, redirect, render_template, request

PREFIX = "__Host-" if HTTPS else ""  # over https no sibling host can plant such a cookie
ACCESS, REFRESH = PREFIX + "access", PREFIX + "refresh"


def set_cookie(name, value, samesite="Lax", **lifetime):
    cookie = {"key": name, "value": value, "samesite": samesite, "httponly": True, "secure": HTTPS, **lifetime}
    after_this_request(lambda response: response.set_cookie(**cookie) or response)


def keep(tokens):
    tokens = tokens or pb.IssueTokenResponse()  # no tokens: empty cookies that ended in 1970, so the browser drops them
    set_cookie(ACCESS, tokens.access_token, expires=tokens.access_token_expires_at.ToDatetime())
    set_cookie(REFRESH, tokens.refresh_token, expires=tokens.refresh_token_expires_at.ToDatetime())


@app.get("/")
def home():
    access, refresh = request.cookies.get(ACCESS), request.cookies.get(REFRESH)
    answer = ask("GetSession", access_token=access) if access else None
    if refresh and not answer:  # the access token has run out, or the session is over
        keep(answer := ask("RefreshToken", refresh_token=refresh))
    return render_template("page.html", session=answer and answer.session)


@app.post("/auth/signin")
def sign_in():
    begun = ask("BeginSignIn", provider="github", redirect_uri=ORIGIN + "/auth/callback/github", redirect_to=ORIGIN)
    set_cookie(PREFIX + begun.cookie.name, begun.flow, begun.cookie.same_site, max_age=begun.cookie.max_age.seconds)
    return redirect(begun.authorization_url, 303)


@app.get("/auth/callback/github")
def callback():
    answer = {name: request.args[name] for name in ("code", "state", "iss", "error") if name in request.args}
    name = PREFIX + "gatepass_flow_" + answer.get("state", "")[:16]
    flow = request.cookies.get(name) or abort(400)  # it began in another browser, or came back already
    set_cookie(name, "", max_age=0)
    signed_in = ask("SignIn", oauth_callback={"provider": "github", "flow": flow, **answer}) or abort(400)
    if signed_in.HasField("denied"):
        return render_template("page.html", denied=pb.DenialReason.Name(signed_in.denied.reason)), 403
    if signed_in.HasField("allowed"):
        keep(ask("IssueToken", grant=signed_in.allowed.grant) or abort(400))
    return redirect(signed_in.allowed.redirect_to or signed_in.redirect.url)


@app.post("/auth/signout")
def sign_out():
    if refresh := request.cookies.get(REFRESH):
        ask("SignOut", refresh_token=refresh)
    keep(None)
    return redirect("/", 303)
