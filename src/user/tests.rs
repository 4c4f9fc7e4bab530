use crate::auth::testing::worlds;
use crate::user::{Error, NewUser};

#[tokio::test]
async fn an_email_belongs_to_one_person_in_any_case() {
    for world in worlds().await {
        let twin = NewUser {
            email: "ADA@EXAMPLE.COM".parse().unwrap(),
            first_name: String::new(),
            last_name: String::new(),
            password_hash: None,
            is_admin: false,
            verified: true,
        };
        let refused = world.users.create(world.db.writer(), twin).await;
        assert!(matches!(refused, Err(Error::EmailTaken(_))), "{refused:?}");
        assert_eq!(world.users.find_by_email(&"Ada@Example.Com".parse().unwrap()).await.unwrap().unwrap().id, world.user.id);
        assert_eq!(world.users.count(world.db.conn()).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn the_index_holds_where_the_program_does_not() {
    use sea_orm::ConnectionTrait;
    for world in worlds().await {
        // Another program writes the address as it was typed.
        let copy = "INSERT INTO users (id, email, created_at, updated_at) SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'Ada@Example.com', created_at, updated_at FROM users";
        assert!(world.db.writer().execute_unprepared(copy).await.is_err());
    }
}

#[tokio::test]
async fn what_is_stored_reads_back() {
    for world in worlds().await {
        assert_eq!(world.users.find(world.user.id).await.unwrap(), Some(world.user.clone()));
        assert_eq!(world.users.find(crate::common::id::UserId::fresh()).await.unwrap(), None);
        let stranger = crate::common::id::UserId::fresh();
        assert!(matches!(world.users.signed_in(world.db.writer(), stranger).await, Err(Error::NotFound)));
    }
}
