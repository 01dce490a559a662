"""The rules: who may sign in, what a token tells, what a session shows, where people are sent.

Each method is one callback of Auth.js. Leave out those that you do not list in `callbacks.remote.callbacks`.
"""

from gatepass.callback.v1 import callback_pb2 as pb
from gatepass.callback.v1.callback_pb2_grpc import CallbackServiceServicer
from gatepass.v1.types_pb2 import TRIGGER_UPDATE
from google.protobuf.json_format import MessageToDict

DOMAINS = {"company.com"}
ORGANISATION = "acme"
WAITING_LIST = "waitlist.example"
TENANT = "acme"
PERMISSIONS = {"admin": ["orders:read", "orders:write"], "user": ["orders:read"]}
GREETINGS = {"en": "Hello", "de": "Hallo", "fr": "Bonjour"}


class Rules(CallbackServiceServicer):
    async def SignIn(self, request, context):
        user = request.user
        # Whoever likes may call themselves anything@company.com: only a verified address proves something.
        domain = user.email.rpartition("@")[2] if user.email_verified else ""
        if domain in DOMAINS or is_member(request):
            return pb.SignInResponse(allow=pb.Allow())
        if domain == WAITING_LIST:
            if request.is_new_user:
                return pb.SignInResponse(redirect=pb.Redirect(url="/waiting-list"))
            return pb.SignInResponse(allow=pb.Allow())
        return pb.SignInResponse(deny=pb.Deny(reason="only for people of company.com and members of acme"))

    async def Jwt(self, request, context):
        if request.user.role == "suspended":
            return pb.JwtResponse(deny=pb.Deny(reason="this user is suspended"))
        # Asked again at each refresh, with the user as stored now: a new role shows at once. If your own database
        # answers this, `await` it: when Gatepass waits no longer, the call is cancelled, and so is what it awaits.
        claims = {"tenant": TENANT, "permissions": PERMISSIONS.get(request.user.role, [])}
        # What the application asked to change is in the claims already; take back what may not be.
        if request.trigger == TRIGGER_UPDATE and "language" in request.update:
            language = request.update["language"]
            claims["language"] = language if isinstance(language, str) and language in GREETINGS else None
        answer = pb.JwtResponse()
        answer.claims.update(claims)
        return answer

    async def Session(self, request, context):
        answer = pb.SessionResponse()
        if request.session.user.name:
            language = str(MessageToDict(request.claims).get("language"))
            answer.claims["greeting"] = f"{GREETINGS.get(language, 'Hello')}, {request.session.user.name}"
        return answer

    async def Redirect(self, request, context):
        nowhere = request.url in (request.base_url, request.base_url + "/")
        return pb.RedirectResponse(url="/dashboard" if nowhere else request.url)


def is_member(request):
    """Whether GitHub says so: the application asked it for /user/orgs and put the names into the profile."""
    organizations = MessageToDict(request.profile).get("organizations")
    return request.account.provider == "github" and isinstance(organizations, list) and ORGANISATION in organizations
