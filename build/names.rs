//! Names of protobuf as Rust spells them.

/// `STATE_MISMATCH`, or `state_mismatch`, as `StateMismatch`.
pub(crate) fn upper_camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..].to_ascii_lowercase()).collect()
}

/// `SignInRequest` as `sign_in_request`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let lower = |at: usize| letters.get(at).is_some_and(|letter| !letter.is_ascii_uppercase());
        if at > 0 && letter.is_ascii_uppercase() && (lower(at - 1) || lower(at + 1) && at + 1 < letters.len())
        {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// `AuthService` as `AUTH_SERVICE`.
pub(crate) fn shouty_snake(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}
