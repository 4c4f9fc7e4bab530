//! What stands in a mail.

use chrono::{DateTime, Utc};

use crate::infra::mail::Template;
use crate::infra::mail::render::render;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

const LINK: &str = "https://brokle.example.com/verify-email?token=abc-DEF_123";
const IP: &str = "192.0.2.7";

fn all() -> Vec<Template> {
    let (link, ip) = (LINK.to_owned(), IP.to_owned());
    vec![
        Template::VerifyEmail { link: link.clone(), expires_at: at() },
        Template::AlreadyRegistered { login_link: link.clone(), reset_link: format!("{LINK}2") },
        Template::ResetPassword { link: link.clone(), expires_at: at(), ip: ip.clone() },
        Template::PasswordChanged { ip: ip.clone(), reset_link: link.clone() },
        Template::SecondFactorChanged { what: "second factor turned on".to_owned(), ip: ip.clone() },
        Template::Invitation {
            organization: "Smith & <b>Sons</b>".to_owned(),
            inviter: "ada@example.com".to_owned(),
            role: "developer".to_owned(),
            link: link.clone(),
            expires_at: at(),
        },
        Template::AccountLocked { ip, until: at(), reset_link: link },
    ]
}

#[test]
fn every_mail_has_a_subject_a_text_and_a_page() {
    for template in all() {
        let name = template.name();
        let mail = render(&template).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(!mail.subject.is_empty() && !mail.subject.contains(['\n', '<']) || name == "invitation", "{name}");
        for text in [&mail.plain, &mail.html] {
            assert!(!text.contains("{{") && !text.contains("{%"), "{name}: {text}");
        }
        assert!(mail.html.starts_with("<!doctype html>") && mail.html.trim_end().ends_with("</html>"), "{name}: {}", mail.html);
        assert!(!mail.html.contains("<img") && !mail.html.contains("url("), "{name} loads nothing from elsewhere");
        if name != "second_factor_changed" {
            assert!(mail.plain.contains(&format!("\n{LINK}\n")), "{name}: {}", mail.plain);
            // As a button, as a link, and to be read.
            assert!(mail.html.matches(&format!("href=\"{}", escaped(LINK))).count() >= 2, "{name}: {}", mail.html);
            assert!(mail.html.contains(&format!(">{}</a>", escaped(LINK))), "{name}: {}", mail.html);
        }
        assert!(mail.plain.lines().filter(|line| !line.contains("https://")).all(|line| line.len() <= 100), "{name}: {}", mail.plain);
    }
}

/// As the templates write an address: a slash may stand as it is, or as an entity.
fn escaped(text: &str) -> String {
    text.replace('/', "&#x2f;")
}

#[test]
fn other_peoples_text_is_text() {
    let mail = render(&all()[5]).unwrap();
    assert_eq!(mail.subject, "You are invited to Smith & <b>Sons</b> on Brokle", "a subject is plain text");
    assert!(mail.html.contains("Smith &amp; &lt;b&gt;Sons"), "{}", mail.html);
    assert!(!mail.html.contains("<b>Sons"), "{}", mail.html);
    assert!(mail.plain.contains("Smith & <b>Sons</b>"), "{}", mail.plain);
    let lines = Template::Invitation {
        organization: "A\r\nBcc: x@example.com".to_owned(),
        inviter: String::new(),
        role: String::new(),
        link: String::new(),
        expires_at: at(),
    };
    assert_eq!(render(&lines).unwrap().subject, "You are invited to ABcc: x@example.com on Brokle");
}

#[test]
fn a_mail_reads_well() {
    insta::assert_snapshot!(render(&all()[2]).unwrap().plain, @r"
    Somebody asked for a new password for your account, from the address 192.0.2.7.
    The link works once, until 15 January 2027, 08:00 UTC:

    https://brokle.example.com/verify-email?token=abc-DEF_123

    -- 
    Brokle
    Was it not you? Then ignore this mail: your password stays as it is.
    ");
}
