"""The rules for sign-ins, claims of tokens and sessions, and redirects.

Each method is one callback of Auth.js. Omit the methods that `callbacks.remote.callbacks` does not list.
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
        profile = MessageToDict(request.profile)
        # Decide from the profile, which proves the person now. The stored user keeps the address of an earlier sign-in,
        # perhaps by another account. Anyone can claim an unverified address: trust only a verified one.
        email = profile.get("email", "") if profile.get("email_verified") is True else ""
        domain = email.rpartition("@")[2]
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
        # Runs again at each refresh with the current user, so that a new role takes effect. If you read permissions
        # from a database, `await` it: at the deadline, this call is cancelled together with the query.
        claims = {"tenant": TENANT, "permissions": PERMISSIONS.get(request.user.role, [])}
        # The claims already contain the application's changes: remove those that are not allowed.
        if request.trigger == TRIGGER_UPDATE and "language" in request.update:
            language = request.update["language"]
            claims["language"] = language if isinstance(language, str) and language in GREETINGS else None
        response = pb.JwtResponse()
        response.claims.update(claims)
        return response

    async def Session(self, request, context):
        response = pb.SessionResponse()
        if request.session.user.name:
            language = str(MessageToDict(request.claims).get("language"))
            response.claims["greeting"] = f"{GREETINGS.get(language, 'Hello')}, {request.session.user.name}"
        return response

    async def Redirect(self, request, context):
        nowhere = request.url in (request.base_url, request.base_url + "/")
        return pb.RedirectResponse(url="/dashboard" if nowhere else request.url)


def is_member(request):
    """Checks the organisations in the profile. The application read them from GitHub (/user/orgs)."""
    organizations = MessageToDict(request.profile).get("organizations")
    return request.account.provider == "github" and isinstance(organizations, list) and ORGANISATION in organizations
