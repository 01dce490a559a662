//! The outcomes of expressions, from their text and a JSON input.

use std::sync::{Arc, LazyLock};

use futures_util::FutureExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer;
use super::expressions::{Cel, CelRules};
use super::inputs::{Inputs, Run};
use super::program::Program;
use crate::auth::{AnyCallbacks, Callback, Invoke, RedirectInput, SignInInput};
use crate::callbacks::cases::{Bench, Case};
use crate::model::{BaseUrls, ManualClock, Timestamp};

/// 2026-01-31T12:34:56.789Z, a Saturday.
const NOW: Timestamp = Timestamp(1_769_862_896_789);

fn compiled(callback: Callback, source: &str) -> Program {
    Program::compile(callback, source).unwrap_or_else(|faults| panic!("{source}\n{faults:?}"))
}

/// Returns the outcome of a case with these rules.
fn outcome(rules: CelRules, callback: &str, input: &Value) -> Value {
    let clock = Arc::new(ManualClock::at(NOW));
    let bench = Bench {
        invoke: Invoke {
            callbacks: AnyCallbacks::new(Cel::new(rules, Arc::clone(&clock) as _)),
            base_urls: Arc::new(BaseUrls::parse(&["https://app.example.com".to_owned()]).unwrap()),
            claims: crate::auth::ClaimRules::default(),
        },
        clock,
        now: NOW,
        default_role: "user".to_owned(),
        update_allow: vec!["theme".to_owned()],
    };
    let case = json!({"callback": callback, "input": input}).to_string();
    let case = Case::read(case.as_bytes()).unwrap().remove(0);
    bench.ask(&case).now_or_never().expect("nothing is waited for").unwrap()
}

fn sign_in(source: &str, input: &Value) -> Value {
    let rules = CelRules { sign_in: Some(compiled(Callback::SignIn, source)), ..CelRules::default() };
    outcome(rules, "sign_in", input)
}

fn jwt(source: &str, input: &Value) -> Value {
    let rules =
        CelRules { jwt: vec![("c".to_owned(), compiled(Callback::Jwt, source))], ..CelRules::default() };
    outcome(rules, "jwt", input)
}

/// Returns the claim `c`, or the reason why there is none.
fn claim(source: &str, input: &Value) -> Value {
    let outcome = jwt(source, input);
    match (outcome.get("claims"), outcome.get("error")) {
        (Some(claims), None) => claims.get("c").cloned().unwrap_or(json!("(none)")),
        (None, Some(error)) => {
            let told = error.as_str().unwrap().strip_prefix("callbacks.cel.jwt.c: ").unwrap();
            json!(format!("! {told}"))
        }
        other => panic!("{source}: {other:?}"),
    }
}

#[track_caller]
fn says(input: &Value, cases: &[(&str, Value)]) {
    for (source, wanted) in cases {
        assert_eq!(claim(source, input), *wanted, "{source}");
    }
}

fn person() -> Value {
    json!({
        "user": {"email": "Ada@Example.com", "email_verified": true, "name": "Ada", "role": "admin"},
        "account": {"provider": "github", "provider_account_id": "1815"},
        "profile": {
            "login": "ada", "hd": null, "score": 1.5, "big": 9_007_199_254_740_992_u64,
            "organizations": [{"login": "acme", "admin": true}, {"login": "lovelace"}],
            "address": {"country": "UK"}, "groups": ["staff", "ops"],
        },
        "token": {"seats": 3},
        "client": {"ip_address": "10.1.2.3"},
    })
}

#[test]
fn expressions_see_the_input_of_their_callback() {
    says(
        &person(),
        &[
            ("user.email", json!("ada@example.com")),
            ("user.email_verified", json!(true)),
            ("user.role + '/' + user.name", json!("admin/Ada")),
            ("user.image", json!("(none)")),
            ("account.provider + ':' + account.provider_account_id", json!("github:1815")),
            ("account.type", json!("profile")),
            ("client.ip_address", json!("10.1.2.3")),
            ("profile.login", json!("ada")),
            ("profile['login']", json!("ada")),
            ("profile.score", json!(1.5)),
            ("profile.big", json!(9_007_199_254_740_992_u64)),
            ("profile.organizations", json!([{"login": "acme", "admin": true}, {"login": "lovelace"}])),
            ("profile.organizations[1].login", json!("lovelace")),
            ("profile.address.country", json!("UK")),
            ("size(profile)", json!(9)),
            ("profile.exists(key, key == 'login')", json!(true)),
            ("profile.address == {'country': 'UK'} && {'country': 'UK'} == profile.address", json!(true)),
            ("['staff', 'ops'] == profile.groups && profile.groups == ['staff', 'ops']", json!(true)),
            ("profile.groups + ['x']", json!(["staff", "ops", "x"])),
            ("token.seats + 1", json!(4)),
            ("{'all': token}", json!({"all": {"seats": 3}})),
            ("trigger", json!("SIGN_IN")),
            ("is_new_user", json!(false)),
            ("update", json!({})),
            ("size(session_id)", json!(36)),
            ("now", json!("2026-01-31T12:34:56.789Z")),
            ("user.created_at == now", json!(true)),
        ],
    );
}

#[test]
fn an_unset_field_is_null_and_has_returns_false() {
    let input = json!({"profile": {"hd": null}});
    says(
        &input,
        &[
            ("user.email == null && null == user.email", json!(true)),
            ("has(user.email)", json!(false)),
            ("has(user.role)", json!(true)),
            ("has(account.scope)", json!(false)),
            ("has(client.ip_address) || client.ip_address != null", json!(false)),
            ("client.ip_address in ['10.0.0.1']", json!(false)),
            // A key that is present is set, whatever its value.
            ("has(profile.hd) && profile.hd == null", json!(true)),
            ("has(profile.groups)", json!(false)),
            ("'groups' in profile", json!(false)),
            ("profile.groups", json!("! no such key: groups")),
            ("profile.?groups", json!("(none)")),
            ("profile.?groups.orValue([])", json!([])),
            ("profile.?hd.hasValue()", json!(true)),
            (
                "user.email.endsWith('@example.com')",
                json!("! found no matching overload for 'endsWith' applied to 'null_type.(string)'"),
            ),
            (
                "user.email.matches('@example[.]com$')",
                json!("! found no matching overload for 'matches' applied to '(null_type, string)'"),
            ),
            (
                "user.email.split('@')",
                json!("! found no matching overload for 'split' applied to '(null_type, string)'"),
            ),
        ],
    );
    for (is_new_user, wanted) in [(true, json!({"allow": true})), (false, json!({"deny": "CALLBACK_DENIED"}))]
    {
        let source =
            "user.id == null && !has(account.id) && user.role == 'user' && account.provider == 'example'";
        assert_eq!(sign_in(source, &json!({"is_new_user": is_new_user})), wanted);
    }
    let update = json!({"trigger": "UPDATE", "token": {"c": "kept"}});
    says(
        &update,
        &[
            ("account == null && profile == null", json!(true)),
            ("has(profile.groups) || has(account.provider)", json!(false)),
            // An optional without a value leaves the claim as it is.
            ("profile.?groups", json!("kept")),
            ("account.?provider", json!("kept")),
            ("null", json!("(none)")),
            ("has(profile.groups) ? profile.groups : token.c", json!("kept")),
            ("trigger == 'UPDATE' ? token.c + '!' : 'new'", json!("kept!")),
        ],
    );
}

#[test]
fn people_find_the_functions_they_need() {
    says(
        &person(),
        &[
            ("'TacoCat'.lowerAscii() + 'x'.upperAscii()", json!("tacocatX")),
            ("' a '.trim()", json!("a")),
            ("'a@b.c'.split('@')[1]", json!("b.c")),
            ("'a,b,c'.split(',', 2)", json!(["a", "b,c"])),
            ("'abc'.split('')", json!(["a", "b", "c"])),
            ("'äbc'.split('', 2)", json!(["ä", "bc"])),
            ("'a,b'.split(',', 0)", json!([])),
            ("''.split(',')", json!([""])),
            ("''.split('')", json!([])),
            ("'a-b-c'.replace('-', '+')", json!("a+b+c")),
            ("'a-b-c'.replace('-', '+', 1)", json!("a+b-c")),
            ("'ab'.replace('', '-')", json!("-a-b-")),
            ("['a', 'b'].join() + ['a', 'b'].join('/')", json!("aba/b")),
            ("'hello'.substring(1) + 'hello'.substring(0, 2)", json!("ellohe")),
            ("'hello'.startsWith('he') && 'hello'.endsWith('lo') && 'hello'.contains('ell')", json!(true)),
            ("user.email.matches('^[a-z]+@example[.]com$')", json!(true)),
            ("matches(user.email, '@other')", json!(false)),
            ("size('äö') + size([1]) + size({'a': 1})", json!(4)),
            ("'äö'.size()", json!(2)),
            ("'ops' in profile.groups", json!(true)),
            ("'x' in {'x': 1}", json!(true)),
            ("string(5) + string(true) + string(1.5)", json!("5true1.5")),
            ("int('5') + 1", json!(6)),
            ("double(1) / 2.0", json!(0.5)),
            ("type(profile.groups) == list", json!(true)),
            ("timestamp('2026-01-01T00:00:00Z') < now", json!(true)),
            ("now - timestamp('2026-01-31T12:34:56.789Z') == duration('0s')", json!(true)),
            ("now + duration('24h') > now", json!(true)),
            ("now.getHours()", json!(12)),
            ("now.getHours('Europe/Berlin')", json!(13)),
            ("now.getDayOfWeek()", json!(6)),
            ("profile.organizations.exists(o, o.login == 'acme')", json!(true)),
            ("profile.organizations.exists_one(o, has(o.admin))", json!(true)),
            ("profile.organizations.all(o, o.login != '')", json!(true)),
            ("profile.organizations.map(o, o.login)", json!(["acme", "lovelace"])),
            ("profile.organizations.map(o, has(o.admin), o.login)", json!(["acme"])),
            ("profile.organizations.filter(o, has(o.admin))", json!([{"login": "acme", "admin": true}])),
            ("profile.groups.filter(g, g in ['ops'] && profile.groups.exists(h, h == g))", json!(["ops"])),
            ("optional.of(user.name).orValue('')", json!("Ada")),
            ("optional.none()", json!("(none)")),
            ("user.role == 'admin' ? ['read', 'write'] : ['read']", json!(["read", "write"])),
            ("[1, 2].map(profile, profile + 1)", json!([2, 3])),
        ],
    );
}

#[test]
fn a_claim_must_be_a_json_value() {
    says(
        &person(),
        &[
            ("[1, 2u, 0.5, 'x', true, null, {'a': []}]", json!([1, 2, 0.5, "x", true, null, {"a": []}])),
            ("9007199254740992", json!(9_007_199_254_740_992_u64)),
            ("9007199254740993", json!("! must not be a number beyond 2^53; write string(…)")),
            ("[{'a': -9007199254740993}]", json!("! must not be a number beyond 2^53; write string(…)")),
            ("1e300", json!("! must not be a number beyond 2^53; write string(…)")),
            ("1.0 / 0.0", json!("! must be a finite number")),
            ("timestamp('2026-01-31T13:00:00+01:00')", json!("2026-01-31T12:00:00Z")),
            ("duration('90s')", json!("! must be a JSON value, not a duration; write string(…)")),
            ("string(duration('90s'))", json!("90s")),
            ("b'abc'", json!("! must be a JSON value, not bytes")),
            ("{1: 'a'}", json!("! must return maps with string keys")),
            ("[profile.?login]", json!("! must be a JSON value, not an optional; add .orValue(…)")),
            ("user", json!("! must not return a whole user, account, client or session; select its fields")),
        ],
    );
}

#[test]
fn a_sign_in_is_a_yes_a_no_or_a_place() {
    let input = json!({"profile": {"n": 1}});
    for (source, wanted) in [
        ("true", json!({"allow": true})),
        ("false", json!({"deny": "CALLBACK_DENIED"})),
        ("'/waiting-list'", json!({"redirect": "https://app.example.com/waiting-list"})),
        ("'https://evil.example/'", json!({"redirect": "https://app.example.com"})),
        ("profile.n == 1 ? true : '/no'", json!({"allow": true})),
    ] {
        assert_eq!(sign_in(source, &input), wanted, "{source}");
    }
    for (source, what) in [
        ("null", "null"),
        ("1", "int"),
        ("0u", "uint"),
        ("1.0", "double"),
        ("[true]", "list"),
        ("{'allow': true}", "map"),
        ("profile", "map"),
        ("now", "timestamp"),
        ("optional.of(true)", "an optional; add .orValue(…)"),
    ] {
        let told = format!("callbacks.cel.sign_in: must return true, false or a URL, not {what}");
        assert_eq!(sign_in(source, &input), json!({"error": told}), "{source}");
    }
    assert_eq!(sign_in("''", &input), json!({"error": "must not return an empty URL"}));
}

#[test]
fn a_redirect_is_a_place() {
    let redirect = |source: &str, url: &str| {
        let rules = CelRules { redirect: Some(compiled(Callback::Redirect, source)), ..CelRules::default() };
        outcome(rules, "redirect", &json!({"url": url}))
    };
    let home = "url == base_url ? '/home' : url";
    assert_eq!(redirect(home, ""), json!({"url": "https://app.example.com/home"}));
    assert_eq!(redirect(home, "/x?y"), json!({"url": "https://app.example.com/x?y"}));
    assert_eq!(redirect("'//evil.example'", "/x"), json!({"url": "https://app.example.com"}));
    for source in ["true", "null", "[url]"] {
        let error = redirect(source, "/x");
        assert!(error["error"].as_str().unwrap().contains("must return a URL, not"), "{error}");
    }
}

#[test]
fn a_session_callback_adds_claims_to_the_response() {
    let entry = |name: &str, source: &str| (name.to_owned(), compiled(Callback::Session, source));
    let rules = CelRules {
        session: vec![
            entry("greeting", "'Hello, ' + (has(user.name) ? user.name : 'you')"),
            entry("seats", "null"),
            entry("ends", "session.expires_at"),
            entry("admin", "user.role == 'admin'"),
        ],
        ..CelRules::default()
    };
    let input = json!({
        "user": {"name": "Ada", "role": "admin"}, "token": {"seats": 3, "plan": "x"},
        "session": {"expires_at": "2026-02-01T00:00:00Z"},
    });
    let wanted =
        json!({"greeting": "Hello, Ada", "plan": "x", "ends": "2026-02-01T00:00:00Z", "admin": true});
    assert_eq!(outcome(rules, "session", &input), json!({"claims": wanted}));
}

#[test]
fn claims_do_not_depend_on_each_others_order() {
    let entry = |name: &str, source: &str| (name.to_owned(), compiled(Callback::Jwt, source));
    let mut entries = vec![
        entry("a", "has(token.b) ? token.b + 1 : 0"),
        entry("b", "has(token.a) ? token.a + 1 : 10"),
        entry("gone", "null"),
    ];
    let input = json!({"trigger": "UPDATE", "token": {"a": 1, "b": 2, "gone": 3, "kept": 4}});
    let wanted = json!({"claims": {"a": 3, "b": 2, "kept": 4}});
    for _ in 0..2 {
        let rules = CelRules { jwt: entries.clone(), ..CelRules::default() };
        assert_eq!(outcome(rules, "jwt", &input), wanted);
        entries.reverse();
    }
}

#[track_caller]
fn refused(source: &str) -> Vec<String> {
    let faults = Program::compile(Callback::SignIn, source).expect_err(source);
    faults.iter().map(|fault| format!("{}:{}: {}", fault.line, fault.column, fault.message)).collect()
}

#[test]
fn faults_have_a_line_and_a_column() {
    let mut wrong = Vec::new();
    for (source, wanted) in [
        ("usr.email == 'x'", "1:1: unknown variable \"usr\"; did you mean \"user\"?"),
        ("user.emai == 'x'", "1:5: user has no field \"emai\"; did you mean \"email\"?"),
        (
            "true &&\n  account.?provider_id == 'x'",
            "2:10: account has no field \"provider_id\"; write one of",
        ),
        ("'ö' == 'ö' && usr", "1:15: unknown variable \"usr\"; did you mean \"user\"?"),
        (
            "token.x",
            "1:1: unknown variable \"token\"; write one of user, account, profile, profile_omitted, app_data, is_new_user, client, now",
        ),
        ("profile.a.all(x, y == x)", "1:18: unknown variable \"y\"; did you mean \"x\"?"),
        ("profile.a.exists(x, x) && x", "1:27: unknown variable \"x\"; write one of"),
        (".user.email", "1:2: unknown variable \".user\"; did you mean \"user\"?"),
        ("lower(user.email)", "1:6: unknown function \"lower\"; write x.lowerAscii()"),
        ("user.email.endWith('x')", "1:19: unknown function \"endWith\"; did you mean \"endsWith\"?"),
        ("user.email.indexOf('x')", "1:19: unknown function \"indexOf\"; write one of size, matches"),
        ("now()", "1:4: unknown function \"now\"; write now, without parentheses"),
        ("optional.off(1)", "1:13: unknown function \"optional.off\"; did you mean \"of\"?"),
        ("endsWith('a', 'b')", "1:9: endsWith() must be called as x.endsWith(…)"),
        ("user.email.int()", "1:15: int() must be called as int(x)"),
        ("'a'.split()", "1:10: split() takes 1 or 2 arguments, not 0"),
        ("size('a', 'b')", "1:5: size() takes 1 argument, not 2"),
        ("profile.a.exists(x)", "1:17: exists() must be written list.exists(x, condition)"),
        ("has(user)", "1:5: is not valid CEL: invalid argument to has() macro"),
        ("user.email.matches(profile.p)", "1:27: the pattern must be a string literal"),
        ("user.email.matches('(')", "1:20: invalid pattern: unclosed group"),
        ("user.email.matches('[^x]{999}')", "1:20: the pattern is too large; use fewer repetitions"),
        ("User{name: 'x'}", "1:5: messages cannot be created; write a map"),
        ("", "1:1: is not valid CEL: mismatched input 'the end'"),
        ("user.role ==", "1:13: is not valid CEL: mismatched input 'the end'"),
        ("true &&\n\n  user.role = 'admin'", "3:13: is not valid CEL:"),
        ("user.role == 'admin", "1:14: is not valid CEL:"),
        ("true true", "1:6: is not valid CEL:"),
    ] {
        let faults = refused(source);
        if !faults[0].starts_with(wanted) || faults.len() > 1 {
            wrong.push(format!("{source}\nwanted: {wanted}\nfound:  {faults:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = refused("usr == 'a' && lower(user.nam) == profile.x.length()");
    assert_eq!(all.len(), 4, "everything is told at once: {all:#?}");
}

#[test]
fn an_expression_is_small() {
    let steps = |count: usize| format!("[{}]", vec!["true"; count].join(", "));
    let faults = refused(&steps(400));
    assert_eq!(
        faults,
        ["1:1: has 401 steps, more than the limit of 400; shorten it, or use a remote callback"]
    );
    compiled(Callback::SignIn, &steps(399));
    let long = refused(&format!("'{}' == ''", "x".repeat(4096)));
    assert_eq!(
        long,
        ["1:1: has 4104 bytes, more than the limit of 4096; shorten it, or use a remote callback"]
    );
    let loops = "profile.a.all(x, x.all(y, y))";
    compiled(Callback::SignIn, loops);
    let loops = refused("profile.a.all(x, x.all(y, y.all(z, z)))");
    assert!(loops[0].ends_with("loops can be nested at most 2 deep") && loops.len() == 1, "{loops:?}");
    let sum = |terms: usize| vec!["'x'"; terms].join(" + ");
    compiled(Callback::SignIn, &sum(32));
    assert!(refused(&sum(33))[0].contains("is nested too deeply"));
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{'a': ", "}"), ("!(", ")"), ("(true ? ", " : 1)"), ("size(", ")")]
    {
        let nested = format!("{}1{}", open.repeat(600), close.repeat(600));
        assert!(!refused(&nested).is_empty(), "{open}");
    }
}

#[test]
fn the_deepest_expression_fits_a_thread_of_a_server() {
    for source in [
        vec!["'x'"; 32].join(" + "),
        format!("{}1{}", "[".repeat(15), "]".repeat(15)),
        format!("{}true{}", "!(".repeat(31), ")".repeat(31)),
        format!("[1].map(x, [x].map(y, {}y{}))", "[".repeat(8), "]".repeat(8)),
        format!("{}true{}", "(true ? ".repeat(31), " : false)".repeat(31)),
    ] {
        let program = compiled(Callback::Jwt, &source);
        // The same stack as a worker of the runtime.
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
            let rules = CelRules { jwt: vec![("c".to_owned(), program)], ..CelRules::default() };
            outcome(rules, "jwt", &json!({}))
        });
        let outcome = thread.unwrap().join().unwrap();
        assert!(outcome.get("claims").is_some(), "{source}: {outcome}");
    }
}

/// Inputs at which expressions would be costly.
fn large() -> Value {
    let text = "ab".repeat(15_000);
    let many: Vec<u32> = (0..5_000).collect();
    json!({"profile": {"text": text, "many": many, "deep": [[[many]]], "list": vec![text.clone(); 2]}})
}

#[test]
fn an_expression_that_costs_too_much_fails() {
    let many = "profile.many";
    let grown = format!("['ab']{}", ".map(x, x + x + x + x + x + x + x + x)".repeat(8));
    for source in [
        format!("{many}.map(x, {many}.map(y, x + y)) != []"),
        format!("{many}.exists(x, {many}.exists(y, x < 0))"),
        format!("{many}.map(x, profile.text) != []"),
        format!("{many}.filter(x, profile.text.contains('b' + 'c')) != []"),
        format!("{many}.filter(x, profile.deep == [x]) != []"),
        format!("{many}.filter(x, profile == profile) != []"),
        format!("{many}.exists(x, profile.text.matches('c$'))"),
        "profile.text.matches('[ab]*a[ab]{400}[^ab]')".to_owned(),
        "profile.text.replace('', profile.text) != ''".to_owned(),
        "profile.text.split('').map(c, profile.text).join() != ''".to_owned(),
        "[profile.text].map(t, t + t + t + t + t + t + t).map(t, t + t + t + t + t + t + t).map(t, t + t + t + t + t + t + t) != []".to_owned(),
        format!("{grown} != []"),
        // Fails whatever its value would be without the part that exceeds the budget.
        format!("profile.?none.hasValue() || {many}.all(x, {many}.all(y, true)) || true"),
        format!("true || {many}.map(x, {many}.map(y, x)) == []"),
        format!("[0].filter(x, {many}.?name.hasValue() || {many}.map(x, {many}).?none.hasValue()) == []"),
    ] {
        let free = source.starts_with("true ||");
        let told = sign_in(&source, &large());
        let wanted = format!("callbacks.cel.sign_in: {}", super::budget::TOO_COSTLY);
        let wanted = if free { json!({"allow": true}) } else { json!({"error": wanted}) };
        assert_eq!(told, wanted, "{source}");
    }
}

#[test]
fn one_pass_over_a_profile_always_fits() {
    let members: Vec<Value> = vec![json!(1); 130_000];
    let texts: Vec<String> =
        (0..6_000).map(|number| format!("a group with a long name: {number:>10}")).collect();
    let teams: Vec<Value> = (0..6_000).map(|id| json!({"id": id, "name": format!("team {id}")})).collect();
    let profile = json!({"members": members, "texts": texts, "teams": teams});
    let any = (0..20).map(|number| format!("x.startsWith('{number}')")).collect::<Vec<_>>().join(" || ");
    for source in [
        "!profile.members.exists(x, x == 2)",
        "profile.members.all(x, x > 0 && x < 9 && x != 5)",
        "profile.members.filter(x, x > 5).size() == 0",
        "profile.texts.map(x, x.lowerAscii()).size() == 6000",
        &format!("!profile.texts.exists(x, {any})"),
        "!profile.teams.exists(team, team.name == 'x' && team.id > 5)",
        "!('x' in profile.texts) && !(2 in profile.members) && profile.teams.size() > 0",
        "profile.texts.map(x, [x, x, x, x, x, x, x, x]) != []",
    ] {
        assert_eq!(sign_in(source, &json!({"profile": profile})), json!({"allow": true}), "{source}");
    }
}

#[test]
fn a_rule_sees_which_members_of_a_profile_are_missing() {
    let source = "!('groups' in profile_omitted || '*' in profile_omitted) && !('banned' in profile.?groups.orValue([]))";
    for (omitted, outcome) in
        [(json!([]), true), (json!(["roles"]), true), (json!(["groups"]), false), (json!(["*"]), false)]
    {
        let told = sign_in(source, &json!({"profile": {}, "profile_omitted": omitted}));
        assert_eq!(told.get("allow").is_some(), outcome, "{omitted}");
    }
}

#[test]
fn usual_policies_are_cheap() {
    let organizations: Vec<_> = (0..1_000).map(|n| json!({"login": format!("org-{n}"), "id": n})).collect();
    let groups: Vec<_> = (0..500).map(|n| format!("group-{n}")).collect();
    let input =
        json!({"profile": {"organizations": organizations, "groups": groups, "bio": "x".repeat(4_000)}});
    for source in [
        "profile.organizations.exists(o, o.login.lowerAscii() == 'acme' || o.id == 999)",
        "profile.groups.exists(g, g in ['a', 'b', 'c', 'group-499'])",
        "['group-7', 'group-8'].all(wanted, profile.groups.exists(g, g == wanted))",
        "size(profile.organizations.filter(o, o.login.startsWith('org-9')).map(o, o.login)) == 111",
        "!['spam', 'scam'].exists(word, profile.bio.contains(word))",
        "profile.groups.map(g, g.split('-')[1]).exists(n, n == '7')",
    ] {
        assert_eq!(sign_in(source, &input), json!({"allow": true}), "{source}");
    }
}

#[test]
fn errors_are_failures_that_reveal_no_values() {
    let input = json!({"profile": {"secret": "s3cret", "n": 0, "list": [1]}});
    for (source, told) in [
        ("1 / profile.n == 1", "division by zero"),
        ("1 % profile.n == 1", "division by zero"),
        ("profile.list[5] == 1", "index out of bounds"),
        ("profile[profile.secret] == 1", "no such key"),
        ("int(profile.secret) == 1", "int() cannot convert its argument"),
        ("timestamp(profile.secret) < now", "timestamp() cannot convert its argument"),
        ("profile.secret + 1 == ''", "found no matching overload for '_+_' applied to '(string, int)'"),
        ("profile.secret < 1", "found no matching overload for '_<_' applied to '(string, int)'"),
        ("profile.secret", "redirect"),
        ("profile.secret && true", "found no matching overload for '_&&_' applied to '(string, bool)'"),
        ("9223372036854775807 + profile.list[0] == 1", "add overflows"),
        ("now + duration('99999999h') < now", "duration() cannot convert its argument"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('24h') < now", "add overflows"),
        ("{'a': 1}[profile.secret] == 1", "no such key"),
        ("profile.secret.substring(9) == ''", "substring() cannot convert its argument"),
        ("now.getHours('Mars/Olympus') == 1", "timezone() cannot convert its argument"),
    ] {
        let outcome = sign_in(source, &input);
        if told == "redirect" {
            assert!(outcome.get("redirect").is_some(), "{outcome}");
            continue;
        }
        assert_eq!(outcome, json!({"error": format!("callbacks.cel.sign_in: {told}")}), "{source}");
    }
}

#[test]
fn a_panic_is_a_failure_and_ends_nothing_else() {
    let input = RedirectInput { url: "https://app.example.com/x", base_url: "https://app.example.com" };
    let run = Run::new(Inputs::Redirect(&input), Some(NOW), 0);
    let program = compiled(Callback::Redirect, "url");
    let told = program.evaluate(&run, |_| -> Result<(), String> { panic!("s3cret") });
    assert_eq!(told, Err("the evaluation panicked; this is a bug".to_owned()));
    assert_eq!(program.evaluate(&run, answer::place), Ok(input.url.to_owned()));
}

/// JSON of every kind, some of it large.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z@.]{0,12}".prop_map(Value::from),
        Just(Value::from("x".repeat(5_000))),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map("[a-d]{1,2}|login|groups", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Texts that are often expressions.
fn any_source() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "user",
            "profile",
            "account",
            "client",
            "now",
            "x",
            "y",
            "true",
            "null",
            "1",
            "0",
            "-1",
            "9223372036854775807",
            "1.5",
            "'a'",
            "''",
            "b'x'",
            ".email",
            ".groups",
            ".?login",
            "[0]",
            "['a']",
            "[?0]",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "?",
            ".",
            "+",
            "-",
            "*",
            "/",
            "%",
            "==",
            "!=",
            "<",
            ">=",
            "&&",
            "||",
            "!",
            " in ",
            "size(",
            ".map(x, ",
            ".filter(x, ",
            ".exists(x, ",
            ".all(y, ",
            "has(",
            ".split(",
            ".replace(",
            ".join()",
            ".matches('a+b')",
            ".lowerAscii()",
            ".trim()",
            ".substring(",
            "string(",
            "int(",
            "timestamp(",
            "duration('1h')",
            ".getHours()",
            ".orValue(",
            ".optMap(x, ",
            "optional.of(",
            "optional.none()",
            "type(",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,3}",
    ];
    prop::collection::vec(word, 1..16).prop_map(|words| words.concat())
}

/// Expressions that use every kind of input.
const USING: &[&str] = &[
    "profile.a.b == 1",
    "profile.groups.exists(g, g == profile.login)",
    "profile.all(k, profile[k] == profile[k])",
    "profile.map(k, profile[k]) + profile.groups == []",
    "string(profile.a) + profile.login == '' || int(profile.b) < 3",
    "profile.login.split('.').map(p, p.replace('a', p)).join('@').matches('^[a-z]+$')",
    "profile.a < profile.b || profile.a in profile.groups || profile.c - profile.d > 0",
    "profile.?a.?b.orValue(profile.?c).hasValue()",
    "profile.groups[profile.a] == profile.groups[profile.login]",
    "timestamp(profile.a) + duration(profile.login) > now",
    "-profile.a * profile.b / profile.c % profile.d == 0",
    "profile == profile && size(profile.a) >= size(profile.login.trim().upperAscii())",
    "profile",
];

static USED: LazyLock<Vec<Program>> =
    LazyLock::new(|| USING.iter().map(|source| compiled(Callback::SignIn, source)).collect());

/// Expressions that the library can evaluate by itself, for comparison.
const COMPARED: &[&str] = &[
    "profile",
    "profile.login",
    "profile.a == profile.b || profile.a in profile.groups",
    "profile.?a.?b.orValue(profile.?c.orValue('none'))",
    "profile.groups.map(g, string(g))",
    "profile.groups.map(g, g != 'a', [g, {'g': g}])",
    "profile.groups.filter(g, g == profile.login || g in ['a', 'b'])",
    "profile.groups.exists(g, g == 'a') || profile.groups.all(g, g != profile.a)",
    "profile.groups.exists_one(g, type(g) == string && g.contains('a'))",
    "profile.map(k, [k, profile[k]]).filter(p, p[0] != 'a').size()",
    "profile.groups.map(g, profile.groups.filter(h, h == g).size()) + [profile.a]",
    "profile.login.split('.') + profile.login.split('') + profile.login.split('@', 2)",
    "profile.login.replace('a', 'bb') + profile.login.replace('', '-', 2)",
    "profile.groups.filter(g, type(g) == string).join('/')",
    "profile.login.lowerAscii().trim() + profile.login.upperAscii().substring(1)",
    "[1, 2].map(x, [3, 4].map(y, x * y + profile.a))",
    "{'a': profile.?a, 'b': [profile.?b]}.a.hasValue()",
    "profile.a > 3 ? profile.login + '!' : [profile.b, profile.c][1]",
    "size(profile.groups) + size(profile.login) + size(profile)",
    "has(profile.a) && has(profile.login) ? profile.a : -profile.b",
    "[?profile.?a, ?profile.?b].size()",
    "profile.groups.optMap(g, g)",
    "optional.of(profile.a).optMap(x, [x, x]).orValue([])",
];

/// Each of these expressions, compiled by this crate and by the library alone.
static BOTH: LazyLock<Vec<(Program, cel::Program)>> = LazyLock::new(|| {
    let both = |source: &&str| (compiled(Callback::SignIn, source), PLAIN.compile(source).unwrap());
    COMPARED.iter().map(both).collect()
});

static PLAIN: LazyLock<Arc<cel::Env>> = LazyLock::new(|| {
    let mut env = cel::Env::stdlib();
    env.add_extension(cel::extensions::strings).unwrap();
    Arc::new(env)
});

/// Returns the claim by the library alone; "(none)" if it has no value.
fn plainly(program: &cel::Program, profile: &crate::model::ClaimMap) -> Option<Value> {
    let mut context = cel::Context::with_env(Arc::clone(&PLAIN));
    context.add_variable_as_val("profile", Box::new(super::value::from_map(profile)));
    program.execute(&context).ok().and_then(|value| answer::claim(value).ok()).map(unordered)
}

/// Returns a claim without the order of its lists: the keys of a map have none.
fn unordered(claim: Option<Value>) -> Value {
    fn sorted(value: Value) -> Value {
        if let Value::Array(items) = value {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            return Value::Array(items);
        }
        if let Value::Object(map) = value {
            return map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
        }
        value
    }
    claim.map_or(json!("(none)"), sorted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn paying_changes_no_meaning(profile in prop::collection::btree_map("[a-c]|login|groups", any_json(), 0..6)) {
        let mut profile: crate::model::ClaimMap = profile.into_iter().collect();
        if let Some(groups @ Value::Object(_)) = profile.get_mut("groups") {
            // A text that is joined from the keys of a map may be in any order.
            *groups = json!([groups]);
        }
        let user = crate::model::UserId::least_of(NOW);
        let account = crate::model::Account {
            id: crate::model::AccountId::least_of(NOW),
            user_id: user,
            provider: "example".parse().unwrap(),
            provider_account_id: "1".parse().unwrap(),
            issuer: String::new(),
            kind: crate::model::AccountKind::Profile,
            scope: None,
            created_at: NOW,
        };
        let user = crate::model::User {
            id: user,
            email: None,
            email_verified: false,
            email_source: None,
            name: None,
            image: None,
            role: "user".to_owned(),
            ban: None,
            epoch: 0,
            version: 1,
            created_at: NOW,
            updated_at: NOW,
            last_sign_in_at: None,
        };
        let origin = crate::model::Origin::default();
        let nothing = crate::model::ClaimMap::new();
        let input = SignInInput { user: &user, account: &account, profile: &profile, profile_omitted: &[], app_data: &nothing, is_new_user: false, is_new_account: false, origin: &origin };
        for (ours, plain) in &*BOTH {
            let run = Run::new(Inputs::SignIn(&input), Some(NOW), 0);
            let told = ours.evaluate(&run, answer::claim).ok().map(unordered);
            let plain = plainly(plain, &profile);
            prop_assert!(told == plain || run.budget.is_overdrawn(), "{:?}\n{:?}\n{:?}", ours, told, plain);
        }
    }

    #[test]
    fn no_input_is_too_odd(profile in prop::collection::btree_map("[a-d]|login|groups", any_json(), 0..6)) {
        let profile: crate::model::ClaimMap = profile.into_iter().collect();
        for program in &*USED {
            let rules = CelRules { sign_in: Some(program.clone()), ..CelRules::default() };
            let outcome = outcome(rules, "sign_in", &json!({"profile": profile}));
            prop_assert!(!outcome.to_string().contains("this is a bug"), "{:?} {}", program, outcome);
        }
    }

    #[test]
    fn no_text_is_too_odd(source in any_source()) {
        if let Ok(program) = Program::compile(Callback::SignIn, &source) {
            let rules = CelRules { sign_in: Some(program), ..CelRules::default() };
            let input = json!({"user": {"email": "a@b.c"}, "profile": {"login": "a", "groups": ["a", 1, [null]]}});
            let outcome = outcome(rules, "sign_in", &input);
            prop_assert!(!outcome.to_string().contains("this is a bug"), "{} {}", source, outcome);
        }
    }
}

#[test]
fn an_expression_that_looks_at_the_time_is_known() {
    for (source, looks) in [
        ("now", true),
        ("user.role == 'a' || session.expires_at > now", true),
        ("[1].exists(x, {'a': [now]}['a'][0] == now && x == 1)", true),
        ("string(now.getFullYear())", true),
        ("optional.of(now).orValue(null)", true),
        ("has(user.name) ? user.name : 'now'", false),
        ("[1, 2].map(x, x + size(token))", false),
    ] {
        assert_eq!(compiled(Callback::Session, source).asks_the_time(), looks, "{source}");
    }
    Program::compile(Callback::Session, ".now").expect_err("it has one name");
}
