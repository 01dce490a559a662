// The rules for sign-ins, claims of tokens and sessions, and redirects. Each method is one callback of Auth.js. Omit the
// methods that `callbacks.remote.callbacks` does not list.
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type * as pb from "./gen/gatepass/callback/v1/callback_pb.js";
import { Trigger } from "./gen/gatepass/v1/types_pb.js";

const DOMAINS = new Set(["company.com"]);
const ORGANISATION = "acme";
const WAITING_LIST = "waitlist.example";
const TENANT = "acme";
const PERMISSIONS = new Map([
  ["admin", ["orders:read", "orders:write"]],
  ["user", ["orders:read"]],
]);
const GREETINGS = new Map<unknown, string>([
  ["en", "Hello"],
  ["de", "Hallo"],
  ["fr", "Bonjour"],
]);

export const rules: Partial<ServiceImpl<typeof pb.CallbackService>> = {
  async signIn(request): Promise<MessageInitShape<typeof pb.SignInResponseSchema>> {
    // Decide from the profile, which proves the person now. The stored user keeps the address of an earlier sign-in,
    // perhaps by another account. Anyone can claim an unverified address: trust only a verified one.
    const { email, email_verified: verified } = request.profile ?? {};
    const domain = verified === true && typeof email === "string" ? email.slice(email.lastIndexOf("@") + 1) : "";
    if (DOMAINS.has(domain) || isMember(request)) return { outcome: { case: "allow", value: {} } };
    if (domain === WAITING_LIST) {
      if (request.isNewUser) return { outcome: { case: "redirect", value: { url: "/waiting-list" } } };
      return { outcome: { case: "allow", value: {} } };
    }
    const reason = "only for people of company.com and members of acme";
    return { outcome: { case: "deny", value: { reason } } };
  },

  async jwt({ user, trigger, update }): Promise<MessageInitShape<typeof pb.JwtResponseSchema>> {
    const role = user?.role ?? "";
    if (role === "suspended") return { outcome: { case: "deny", value: { reason: "this user is suspended" } } };
    // Runs again at each refresh with the current user, so that a new role takes effect. If you read permissions from a
    // database, pass it `signal` of the handler's second argument: it is aborted at the deadline.
    const claims: JsonObject = { tenant: TENANT, permissions: PERMISSIONS.get(role) ?? [] };
    // The claims already contain the application's changes: remove those that are not allowed.
    const language = trigger === Trigger.UPDATE ? update?.language : undefined;
    if (language !== undefined) claims.language = GREETINGS.has(language) ? language : null;
    return { outcome: { case: "claims", value: claims } };
  },

  async session({ session, claims }) {
    const name = session?.user?.name;
    return name ? { claims: { greeting: `${GREETINGS.get(claims?.language) ?? "Hello"}, ${name}` } } : {};
  },

  async redirect({ url, baseUrl }) {
    return { url: url === baseUrl || url === `${baseUrl}/` ? "/dashboard" : url };
  },
};

/** Checks the organisations in the profile. The application read them from GitHub (/user/orgs) and put them there. */
function isMember({ account, profile }: pb.SignInRequest) {
  const names = profile?.organizations;
  return account?.provider === "github" && Array.isArray(names) && names.includes(ORGANISATION);
}
