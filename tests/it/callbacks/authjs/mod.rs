//! The behaviour of Auth.js (`@auth/core` 0.41), row by row, with the behaviour of Gatepass and the test that proves
//! it. Paths without `::` are tests of this folder, the others of `tests/it/`. Most run under both session strategies.
//!
//! "With cookies": the row and its tests come with that feature.
//!
//! # Order (`order`)
//!
//! | Auth.js | Gatepass | Test |
//! |---|---|---|
//! | `redirect` runs on every request | only for redirects | `the_redirect_callback_is_called_only_for_redirects` |
//! | Start of OAuth: CSRF, state, PKCE, nonce | the same, sealed in a flow; CSRF is the application's | `sign_in/begin::a_browser_is_sent_to_the_provider_with_pkce_state_and_nonce`, `a_sign_up_at_a_provider_calls_the_same_callbacks_in_the_same_order` |
//! | Token exchange, userinfo, `provider.profile` before `signIn` | the same order; a vouched profile begins at `signIn` | `sign_in/callback::callbacks_see_what_the_provider_told` |
//! | OAuth without an adapter: `signIn`, `jwt`; a new id each time | not applicable: there is always a user | |
//! | OAuth sign-up, both strategies: look-up, `signIn`, user, account, session, `jwt(signUp)` | `sign_in`, `redirect`, one transaction; then `jwt(SIGN_UP)`, `session`, redemption | `a_sign_up_calls_sign_in_redirect_jwt_and_session_in_this_order` |
//! | Returning, logged out: the user is not updated | the same order; the profile and the last sign-in are updated | `a_returning_sign_in_has_the_same_order_and_updates_the_profile` |
//! | Returning, logged in as the same user: the old session is kept | each sign-in opens its own session | `a_second_sign_in_of_a_user_opens_a_second_session` |
//! | Logged in, unknown account: linked to the current user | linked if the recent session that began the flow is still live | `sign_in/linking::a_signed_in_user_links_another_account`, `sign_in/linking::a_linking_goes_on_with_the_session_that_began_it` |
//! | A banned user, an e-mail of another user: `signIn` decides, then look-ups | rejected first, without a callback | `the_built_in_rules_reject_a_sign_in_before_any_callback` |
//! | E-mail link, requested and clicked | not applicable: the application sends it and vouches for the profile | |
//! | Credentials: never stored, no database session | the same path as any provider | `credentials_sign_in_by_the_same_path_as_any_provider` |
//! | GET session: `jwt`, `session`, the cookie is renewed; or the row is extended | only `session`; nothing is written or extended | `a_read_asks_session_alone_and_writes_nothing` |
//! | GET session, expired: row deleted, null | rejected, without a callback | `no_callback_is_called_for_a_session_that_has_ended` |
//! | POST session: `jwt` (JWT) or `session` (database) with trigger and payload | `jwt(UPDATE)` with the allowed changes, `session`, rotation; under both | `an_update_asks_jwt_for_what_may_change_then_session_then_rotates` |
//! | Sign-out, both strategies: event, cookie cleared, the token of a JWT session stays valid | no callback, the tokens are rejected, `SIGN_OUT` is logged | `a_sign_out_calls_no_callback_and_ends_the_tokens` |
//! | Sign-out without a cookie: no event | no event, and none for a session that has ended | `a_sign_out_of_nothing_is_no_event` |
//! | `token` in `session` of JWTs, `user` in that of databases | the same inputs under both | `session/strategy_database::callbacks_see_the_same_inputs_under_both_strategies` |
//! | The inputs of `signIn` and `jwt` | the same, and whether the user is new | `sign_in/profile::a_callback_sees_user_account_profile_and_client`, `session/issue_token::a_jwt_callback_sees_account_and_profile_and_whether_the_user_is_new` |
//!
//! Each callback of `order` writes on its own connection while it runs. An open transaction of SQLite would block that
//! write.
//!
//! # Answers (`answers`)
//!
//! | Auth.js | Gatepass | Test |
//! |---|---|---|
//! | `jwt` → null at sign-in: event and redirect as if it had succeeded | no token, the pending session ends, `TOKEN_DENIED` | `a_jwt_that_refuses_a_sign_in_leaves_no_token_and_a_session_that_ended` |
//! | `jwt` → null at update: cookie cleared | rejected, the session stays | `a_jwt_that_refuses_an_update_leaves_the_session_as_it_was` |
//! | `jwt` → null, throws at a read | not applicable: a read calls only `session` | `a_read_asks_session_alone_and_writes_nothing` |
//! | `jwt` → undefined: a token of empty claims; an error | an error, nothing spent | `a_jwt_without_an_answer_is_an_error_and_no_token` |
//! | `jwt` → {}: all claims are lost | adds nothing, removes nothing | `a_jwt_that_adds_nothing_takes_nothing_away` |
//! | `jwt` → not an object: Configuration; a session without a cookie | an error, nothing spent | `an_invalid_answer_of_jwt_is_an_error_and_spends_nothing` |
//! | `jwt` throws: Configuration; cookie cleared | an error, nothing spent | `a_jwt_without_an_answer_is_an_error_and_no_token`, `a_callback_that_panics_ends_its_call_and_nothing_else` |
//! | `jwt` sets `exp`, `iat`, `jti`: ignored; `sub`, `role`: accepted | an error, for every name that only Gatepass sets | `registered_claims_cannot_be_set` |
//! | `session` → null: no body, but the cookie is extended | not possible; without additions the session is returned unchanged | `a_session_that_adds_nothing_tells_the_session_as_it_is` |
//! | `session` → undefined: empty body, HTTP 200; throws | an error, nothing spent | `a_failing_or_invalid_session_callback_is_an_error_and_spends_nothing` |
//! | `session` → {}: a session without a user | the session unchanged | `a_session_that_adds_nothing_tells_the_session_as_it_is` |
//! | `session` → anything: returned unchecked | the owner of the session cannot be changed | `a_session_cannot_pass_itself_off_as_another` |
//! | `signIn` throws: `AccessDenied` | an error, FAILED in the log | `a_sign_in_callback_without_an_answer_lets_no_user_in` |
//! | `signIn` falsy: `AccessDenied` | denied, with a reason | `a_sign_in_that_says_no_leaves_no_user_no_account_and_no_session` |
//! | `signIn` → string: through `redirect`; an invalid URL throws | through the rule and `redirect`; an invalid one falls back, an empty one is an error | `a_sign_in_that_sends_elsewhere_asks_redirect_and_leaves_nothing`, `a_sign_in_that_redirects_to_an_empty_url_is_an_error` |
//! | An event throws: logged, and the operation continues | the log is part of the change | `what_cannot_be_logged_does_not_happen` |
//! | `redirect` → undefined: no Location | the rule's answer; an invalid one falls back | `a_redirect_without_an_answer_keeps_the_built_in_one` |
//! | `redirect` throws: Configuration, HTTP 400 | an error; one row in the log | `a_failing_redirect_callback_is_an_error_without_a_redirect` |
//! | The adapter throws: Configuration, null, or a sign-out without effect | UNAVAILABLE, nothing half written | `failures/outage::`, `storage/store/sessions::a_failing_log_row_leaves_nothing` |
//!
//! # Defects (`defects`)
//!
//! | Auth.js | Test |
//! |---|---|
//! | 1 an expired session is accepted for linking | `sign_in/linking::an_expired_session_links_nothing`, `sign_in/linking::linking_needs_a_session_of_the_last_ten_minutes` |
//! | 2 `jwt` → null is a successful sign-in | `a_jwt_that_refuses_a_sign_in_leaves_no_token_and_a_session_that_ended` |
//! | 3 `WebAuthn` ignores the string of `signIn` | `a_redirect_by_sign_in_works_for_every_kind_of_credential` |
//! | 4 `createUser` without a creation | `a_sign_up_is_logged_only_where_a_user_was_created` |
//! | 5 `updateAge` ≥ `maxAge` stops the sliding; a stale `expires` | `every_refresh_extends_the_session_and_tells_its_new_end` |
//! | 6 parallel updates are lost | `of_updates_at_once_none_is_lost` |
//! | 7 `new URL` throws; blob:, userinfo, backslash, CR LF pass | `no_url_throws_and_none_leaves_the_site` |
//! | 8 GitHub's unverified primary e-mail | `sign_in/callback::githubs_unverified_primary_email_claims_nothing`; of a profile: `sign_in/profile::an_unverified_email_claims_nothing` |
//! | 9 a query overrides `client_id`, `redirect_uri` | `sign_in/begin::what_gatepass_sets_itself_can_not_be_set` |
//! | 10 sign-up in several steps; e-mails case-sensitive | `a_sign_up_that_fails_leaves_nothing_and_can_be_repeated`, `an_email_is_the_same_in_any_case` |
//! | 11 sign-out with a bad URL does not sign out | `a_sign_out_depends_on_no_url_and_on_no_callback` |
//! | 12 a rejection at the click spends the magic link | not applicable: no magic links. A failing callback spends nothing: `a_jwt_without_an_answer_is_an_error_and_no_token` |
//! | 13 a mail sender that rejects ends the process | Gatepass sends no mail; for a callback: `a_callback_that_panics_ends_its_call_and_nothing_else` |
//! | 14 flags of the configuration are global | `two_in_one_process_know_nothing_of_each_other` |
//! | 15 a secret rotation breaks flows in progress | `flows_and_sessions_go_on_after_a_secret_changes`; over replicas: `keys/secret_rotation::` |
//! | 16 cookies with a common prefix collide | with cookies |
//! | 17 a failing `profile()` redirects to a malformed path | `failures/provider::an_email_that_is_none_is_left_out_and_the_person_signs_in`; of a profile: `sign_in/profile::every_bad_field_is_named_and_nothing_is_written` |
//! | 18 a session is returned although its token could not be created | `where_no_token_can_be_made_no_session_is_answered` |
//! | 19 a second `?` in the URL of an error page | `the_error_is_one_more_parameter_of_a_page_that_has_some` |

mod answers;
mod defects;
mod order;

#[test]
fn the_tables_name_tests_that_exist() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let source = |path: &str| std::fs::read_to_string(format!("{folder}/{path}.rs")).unwrap();
    let here =
        ["order", "answers", "defects"].map(|file| source(&format!("callbacks/authjs/{file}"))).concat();
    let tables = source("callbacks/authjs/mod");
    let rows = tables.lines().filter_map(|line| line.strip_prefix("//! |"));
    let mut named = 0;
    for name in rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(|name| name.len() > 25) {
        let (file, test) =
            name.rsplit_once("::").map_or((here.clone(), name), |(file, test)| (source(file), test));
        assert!(file.contains(&format!("fn {test}(")), "{name}");
        named += 1;
    }
    assert!(named > 50, "{named}");
}
