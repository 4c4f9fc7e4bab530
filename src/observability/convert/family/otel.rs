//! General OpenTelemetry conventions: who, where and which release, whatever library made the span.

use super::{Family, Field, attribute, resource};

pub(super) const FAMILY: Family = Family {
    name: "otel",
    marks: &[],
    rules: &[
        resource(Field::Environment, "deployment.environment.name"),
        resource(Field::Environment, "deployment.environment"),
        attribute(Field::Environment, "deployment.environment.name"),
        attribute(Field::Environment, "deployment.environment"),
        resource(Field::Release, "service.version"),
        resource(Field::ServiceName, "service.name"),
        attribute(Field::Session, "session.id"),
        attribute(Field::User, "user.id"),
        attribute(Field::User, "enduser.id"),
        attribute(Field::User, "gen_ai.request.user"),
        resource(Field::Session, "session.id"),
        resource(Field::User, "user.id"),
        attribute(Field::Session, "gen_ai.conversation.id"),
        attribute(Field::Tags, "tags"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{context, convert_with, mapped, row, value};

    #[test]
    fn the_environment_has_its_order() {
        let environment = |span: &[(&str, &str)], resource: &[(&str, &str)], header: Option<&str>| {
            let owned = |pairs: &[(&'static str, &str)]| pairs.iter().map(|(key, text)| (*key, value(*text))).collect::<Vec<_>>();
            let (span, resource): (Vec<_>, Vec<_>) = (span.to_vec(), resource.to_vec());
            let leak = |pairs: Vec<(&str, &str)>| {
                pairs.into_iter().map(|(key, text)| (&*key.to_owned().leak(), &*text.to_owned().leak())).collect::<Vec<_>>()
            };
            let mut context = context();
            context.environment = header;
            convert_with(&owned(&leak(span)), &owned(&leak(resource)), &context).environment
        };
        let both = [("deployment.environment", "old"), ("deployment.environment.name", "new")];
        assert_eq!(environment(&[("brokle.environment", "sdk")], &both, Some("header")), "sdk");
        assert_eq!(environment(&[], &both, Some("header")), "new");
        assert_eq!(environment(&[], &both[..1], Some("header")), "old");
        assert_eq!(environment(&[], &[], Some("header")), "header");
        assert_eq!(environment(&[("brokle.environment", "")], &[], Some("")), "default");
    }

    #[test]
    fn session_and_user_may_be_on_the_resource() {
        let row = convert_with(&[], &[("session.id", value("s")), ("user.id", value("u"))], &context());
        assert_eq!((row.session_id.as_str(), row.user_id.as_str()), ("s", "u"));
    }

    #[test]
    fn a_conversation_is_a_session_where_there_is_no_other() {
        let both = row(&[("gen_ai.conversation.id", value("c")), ("session.id", value("s"))]);
        assert_eq!(both.session_id, "s");
        let one = row(&[("gen_ai.conversation.id", value("c"))]);
        assert_eq!((one.session_id.as_str(), mapped(&one, "session_id")), ("c", Some("otel:gen_ai.conversation.id")));
    }

    #[test]
    fn tags_come_in_three_spellings() {
        let tags = |text: &str| row(&[("tags", value(text))]).tags;
        assert_eq!(tags("[\"a\", 1, true, \"a\", {\"x\":[]}]"), ["a", "1", "true"]);
        assert_eq!(tags("a, b ,,a"), ["a", "b"]);
        assert_eq!(row(&[("tags", value(vec![value("x"), value("y")]))]).tags, ["x", "y"]);
        assert_eq!(tags(""), Vec::<String>::new());
    }
}
