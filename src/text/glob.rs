//! Globs of configs and runbooks: `*` any run, `?` any one character; everything else is itself.

/// True when `pattern` matches all of `text`. Linear in practice: one backtrack point, no recursion, so a hostile
/// pattern of stars costs `pattern × text` at worst.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || Some(&wanted) == text.get(seen) => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        let table = [
            ("", "", true),
            ("*", "", true),
            ("prod-*", "prod-eu-1", true),
            ("prod-*", "staging-prod-1", false),
            ("node?", "node1", true),
            ("node?", "node12", false),
            ("*CPU*High", "NodeCPUUsageHigh", true),
            ("*CPU*High", "NodeCPUUsageHighest", false),
            ("a*b*c", "aXbXbYc", true),
            ("Überlast*", "Überlast im Netz", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_wall_of_stars_ends() {
        assert!(!matches(&"*a".repeat(200), &"b".repeat(2_000)));
    }
}
