package main

import (
	"context"
	"strings"

	callbackv1 "example.com/callbacks/gen/gatepass/callback/v1"
	gatepassv1 "example.com/callbacks/gen/gatepass/v1"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	organisation = "acme"
	waitingList  = "waitlist.example"
	tenant       = "acme"
)

var (
	domains     = map[string]bool{"company.com": true}
	permissions = map[string][]any{"admin": {"orders:read", "orders:write"}, "user": {"orders:read"}}
	greetings   = map[string]string{"en": "Hello", "de": "Hallo", "fr": "Bonjour"}
)

// rules decides sign-ins, claims of tokens and sessions, and redirects. Each method is one callback of Auth.js. Omit the
// methods that `callbacks.remote.callbacks` does not list.
type rules struct {
	callbackv1.UnimplementedCallbackServiceServer
}

func (rules) SignIn(_ context.Context, in *callbackv1.SignInRequest) (*callbackv1.SignInResponse, error) {
	domain := ""
	// Decide from the profile, which proves the person now. The stored user keeps the address of an earlier sign-in,
	// perhaps by another account. Anyone can claim an unverified address: trust only a verified one.
	if profile := in.GetProfile().GetFields(); profile["email_verified"].GetBoolValue() {
		email := profile["email"].GetStringValue()
		domain = email[strings.LastIndex(email, "@")+1:]
	}
	switch {
	case domains[domain], isMember(in), domain == waitingList && !in.GetIsNewUser():
		return &callbackv1.SignInResponse{Outcome: &callbackv1.SignInResponse_Allow{Allow: &callbackv1.Allow{}}}, nil
	case domain == waitingList:
		redirect := &callbackv1.Redirect{Url: "/waiting-list"}
		return &callbackv1.SignInResponse{Outcome: &callbackv1.SignInResponse_Redirect{Redirect: redirect}}, nil
	}
	deny := &callbackv1.Deny{Reason: "only for people of company.com and members of acme"}
	return &callbackv1.SignInResponse{Outcome: &callbackv1.SignInResponse_Deny{Deny: deny}}, nil
}

// Jwt runs again at each refresh with the current user, so that a new role takes effect. If you read permissions from a
// database, pass ctx to it: Gatepass cancels ctx at the deadline.
func (rules) Jwt(_ context.Context, in *callbackv1.JwtRequest) (*callbackv1.JwtResponse, error) {
	role := in.GetUser().GetRole()
	if role == "suspended" {
		deny := &callbackv1.Deny{Reason: "this user is suspended"}
		return &callbackv1.JwtResponse{Outcome: &callbackv1.JwtResponse_Deny{Deny: deny}}, nil
	}
	additions := map[string]any{"tenant": tenant, "permissions": permissions[role]}
	// The claims already contain the application's changes: remove those that are not allowed.
	if update := in.GetUpdate().GetFields(); in.GetTrigger() == gatepassv1.Trigger_TRIGGER_UPDATE && update["language"] != nil {
		if language := update["language"].GetStringValue(); greetings[language] != "" {
			additions["language"] = language
		} else {
			additions["language"] = nil
		}
	}
	claims, err := structpb.NewStruct(additions)
	if err != nil {
		return nil, err
	}
	return &callbackv1.JwtResponse{Outcome: &callbackv1.JwtResponse_Claims{Claims: claims}}, nil
}

func (rules) Session(_ context.Context, in *callbackv1.SessionRequest) (*callbackv1.SessionResponse, error) {
	name := in.GetSession().GetUser().GetName()
	if name == "" {
		return &callbackv1.SessionResponse{}, nil
	}
	greeting := greetings[in.GetClaims().GetFields()["language"].GetStringValue()]
	if greeting == "" {
		greeting = "Hello"
	}
	claims, err := structpb.NewStruct(map[string]any{"greeting": greeting + ", " + name})
	return &callbackv1.SessionResponse{Claims: claims}, err
}

func (rules) Redirect(_ context.Context, in *callbackv1.RedirectRequest) (*callbackv1.RedirectResponse, error) {
	if in.GetUrl() == in.GetBaseUrl() || in.GetUrl() == in.GetBaseUrl()+"/" {
		return &callbackv1.RedirectResponse{Url: "/dashboard"}, nil
	}
	return &callbackv1.RedirectResponse{Url: in.GetUrl()}, nil
}

// isMember checks the organisations in the profile. The application read them from GitHub (/user/orgs) and put them there.
func isMember(in *callbackv1.SignInRequest) bool {
	if in.GetAccount().GetProvider() != "github" {
		return false
	}
	for _, name := range in.GetProfile().GetFields()["organizations"].GetListValue().GetValues() {
		if name.GetStringValue() == organisation {
			return true
		}
	}
	return false
}
