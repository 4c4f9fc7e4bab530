//! The text of mails.

use chrono::{DateTime, Utc};
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::Template;

/// A mail's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    pub subject: String,
    pub plain: String,
    pub html: String,
}

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

/// Text is escaped where the name ends in `.html`.
const TEMPLATES: &[(&str, &str)] = templates![
    "layout.html",
    "button.html",
    "layout.txt",
    "verify_email.html",
    "verify_email.txt",
    "already_registered.html",
    "already_registered.txt",
    "reset_password.html",
    "reset_password.txt",
    "password_changed.html",
    "password_changed.txt",
    "second_factor_changed.html",
    "second_factor_changed.txt",
    "invitation.html",
    "invitation.txt",
    "account_locked.html",
    "account_locked.txt",
];

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    // A mail with a hole where the link should be must not leave.
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_filter("time", time);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// `1 December 2026, 14:05 UTC`.
fn time(text: &str) -> Result<String, Error> {
    let time: DateTime<Utc> = text
        .parse()
        .map_err(|error: chrono::ParseError| Error::new(ErrorKind::InvalidOperation, format!("`{text}` is no time: {error}")))?;
    Ok(time.format("%-d %B %Y, %H:%M UTC").to_string())
}

/// What a text is made from.
#[derive(serde::Serialize)]
struct Values {
    subject: String,
    #[serde(flatten)]
    template: Template,
}

/// Writes a mail.
pub(super) fn render(template: &Template) -> Result<Rendered, Error> {
    let environment = environment()?;
    let (name, subject) = (template.name(), template.subject());
    let values = Value::from(Serde(Values { subject: subject.clone(), template: template.clone() }));
    Ok(Rendered {
        plain: environment.get_template(&format!("{name}.txt"))?.render(&values)?,
        html: environment.get_template(&format!("{name}.html"))?.render(&values)?,
        subject,
    })
}
