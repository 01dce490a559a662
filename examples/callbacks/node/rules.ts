// The rules: who may sign in, what a token tells, what a session shows, where people are sent. Each method is one
// callback of Auth.js. Leave out those that you do not list in `callbacks.remote.callbacks`.
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
    // Whoever likes may call themselves anything@company.com: only a verified address proves something.
    const email = request.user?.emailVerified ? request.user.email : undefined;
    const domain = email?.slice(email.lastIndexOf("@") + 1) ?? "";
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
    // Asked again at each refresh, with the user as stored now: a new role shows at once. If your own database answers
    // this, give it `signal` of the handler's second argument: it is aborted when Gatepass waits no longer.
    const claims: JsonObject = { tenant: TENANT, permissions: PERMISSIONS.get(role) ?? [] };
    // What the application asked to change is in the claims already; take back what may not be.
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

/** Whether GitHub says so: the application asked it for /user/orgs and put the names into the profile. */
function isMember({ account, profile }: pb.SignInRequest) {
  const names = profile?.organizations;
  return account?.provider === "github" && Array.isArray(names) && names.includes(ORGANISATION);
}
