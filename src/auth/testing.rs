//! A small world for tests: a database with one tenant, the services, a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;

use super::http::RefreshCookie;
use super::{
    Accounts, ApiKeys, Authorizer, Basis, Links, LoginLimits, Passwords, Revocations, Revoked, SecondFactors, Sessions, SigningKeys,
    TokenSettings,
};
use crate::audit::Audit;
use crate::common::clock::{FixedClock, SharedClock};
use crate::config::{Config, Environment};
use crate::enterprise::Enterprise;
use crate::infra::bus::Bus;
use crate::infra::crypto::Sealer;
use crate::infra::db::Database;
use crate::infra::db::testing::{TestDatabase, migrated_sqlite, test_databases};
use crate::infra::jobs::Jobs;
use crate::infra::mail::Mailer;
use crate::organization::{Directory, Invitations, Organization, Organizations, Project, Projects, Role};
use crate::settings::Settings;
use crate::user::{NewUser, User, Users};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// Where people reach the web app.
pub const APP_URL: &str = "https://brokle.example";

#[derive(Debug, Clone)]
pub struct World {
    pub db: TestDatabase,
    pub clock: Arc<FixedClock>,
    pub users: Users,
    pub directory: Directory,
    pub audit: Audit,
    pub settings: Settings,
    pub organizations: Organizations,
    pub projects: Projects,
    pub invitations: Invitations,
    pub api_keys: ApiKeys,
    pub sessions: Sessions,
    pub second_factors: SecondFactors,
    pub accounts: Accounts,
    pub basis: Basis,
    pub bus: Bus,
    pub authorizer: Authorizer,
    pub enterprise: Enterprise,
    pub user: User,
    pub organization: Organization,
    pub project: Project,
}

/// A world on each kind of database.
pub async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for db in test_databases().await {
        worlds.push(World::on(db).await);
    }
    worlds
}

impl World {
    /// A world on SQLite, for what no database changes.
    pub async fn small() -> Self {
        Self::on(migrated_sqlite().await).await
    }

    async fn on(db: TestDatabase) -> Self {
        let clock = Arc::new(FixedClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
        let server = Server::on(&db, clock.clone());
        let txn = db.begin().await.unwrap();
        let user = server.users.create(&txn, new_user("ada@example.com").await).await.unwrap();
        let organization = server.directory.create_organization(&txn, &"Acme".parse().unwrap()).await.unwrap();
        server.directory.add_member(&txn, organization.id, user.id, &Role::Owner).await.unwrap();
        let project = server.directory.create_project(&txn, organization.id, &"Search".parse().unwrap()).await.unwrap();
        txn.commit().await.unwrap();
        let Server {
            users,
            directory,
            audit,
            settings,
            organizations,
            projects,
            invitations,
            api_keys,
            sessions,
            second_factors,
            accounts,
            basis,
            bus,
        } = server;
        let enterprise = Enterprise::new(&config(), clock.clone());
        let authorizer = Authorizer::new(directory.clone(), Arc::clone(&enterprise.seams.rbac));
        Self {
            db,
            clock,
            users,
            directory,
            audit,
            settings,
            organizations,
            projects,
            invitations,
            api_keys,
            sessions,
            second_factors,
            accounts,
            basis,
            bus,
            authorizer,
            enterprise,
            user,
            organization,
            project,
        }
    }

    /// Another server on the same database.
    pub fn other_server(&self) -> Server {
        Server::on(&self.db, self.clock.clone())
    }

    /// What is revoked from now on.
    pub fn revocations(&self) -> Heard {
        Heard(self.bus.outgoing())
    }

    /// A person who belongs to nothing yet.
    pub async fn somebody(&self, email: &str) -> User {
        self.users.create(self.db.writer(), new_user(email).await).await.unwrap()
    }

    /// A person with a role in the organisation.
    pub async fn member(&self, email: &str, role: &str) -> User {
        let user = self.somebody(email).await;
        self.directory.add_member(self.db.writer(), self.organization.id, user.id, &Role::from(role)).await.unwrap();
        user
    }

    /// Registers the services as the application does.
    pub fn register(&self, config: &mut actix_web::web::ServiceConfig) {
        use actix_web::web::Data;
        config
            .app_data(Data::new(self.users.clone()))
            .app_data(Data::new(self.directory.clone()))
            .app_data(Data::new(self.audit.clone()))
            .app_data(Data::new(self.organizations.clone()))
            .app_data(Data::new(self.projects.clone()))
            .app_data(Data::new(self.invitations.clone()))
            .app_data(Data::new(self.settings.clone()))
            .app_data(Data::new(self.api_keys.clone()))
            .app_data(Data::new(self.sessions.clone()))
            .app_data(Data::new(self.second_factors.clone()))
            .app_data(Data::new(self.accounts.clone()))
            .app_data(Data::new(self.basis.mailer.clone()))
            .app_data(Data::new(self.authorizer.clone()))
            .app_data(Data::new(self.enterprise.clone()))
            .app_data(Data::new(RefreshCookie { secure: true }));
    }
}

/// What was revoked, as the other processes hear it.
#[derive(Debug)]
pub struct Heard(tokio::sync::broadcast::Receiver<crate::infra::bus::Notice>);

impl Heard {
    /// The next, where there is one.
    pub fn take(&mut self) -> Option<Revoked> {
        let notice = self.0.try_recv().ok()?;
        Revoked::of(&crate::infra::bus::Heard::Notice(notice))
    }
}

/// The services of one process.
#[derive(Debug)]
pub struct Server {
    pub users: Users,
    pub directory: Directory,
    pub audit: Audit,
    pub settings: Settings,
    pub organizations: Organizations,
    pub projects: Projects,
    pub invitations: Invitations,
    pub api_keys: ApiKeys,
    pub sessions: Sessions,
    pub second_factors: SecondFactors,
    pub accounts: Accounts,
    pub basis: Basis,
    pub bus: Bus,
}

/// The audit log of this edition.
pub fn audit(db: &Database, clock: &SharedClock) -> Audit {
    Audit::new(db.clone(), clock.clone(), Enterprise::new(&config(), clock.clone()).seams.compliance)
}

/// What services of a process stand on, with limits as they are shipped.
pub fn basis(db: &Database, clock: &SharedClock, bus: &Bus) -> Basis {
    let mailer = Mailer::new(Jobs::new(db.clone(), clock.clone(), bus.clone()), clock.clone());
    let audit = audit(db, clock);
    Basis::new(db.clone(), clock.clone(), audit, Passwords::new(), LoginLimits::default(), mailer, Links::new(APP_URL))
}

/// Sessions with these tokens.
pub fn sessions(db: &Database, clock: &SharedClock, settings: &TokenSettings) -> Sessions {
    let bus = Bus::new();
    let basis = basis(db, clock, &bus);
    Sessions::new(basis.clone(), SecondFactors::new(basis, Sealer::default()), Revocations::new(bus), settings)
}

impl Server {
    fn on(db: &Database, clock: SharedClock) -> Self {
        let bus = Bus::new();
        let revocations = Revocations::new(bus.clone());
        let secret = "the secret of the tests, 32 bytes or more".to_owned();
        let tokens = TokenSettings {
            keys: SigningKeys::shared(&secret.clone().into()),
            secret: secret.into(),
            issuer: "brokle".to_owned(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(168),
        };
        let users = Users::new(db.clone(), clock.clone());
        let basis = basis(db, &clock, &bus);
        let (audit, mailer) = (basis.audit.clone(), basis.mailer.clone());
        let second_factors = SecondFactors::new(basis.clone(), Sealer::new(Some([42; 32])));
        let sessions = Sessions::new(basis.clone(), second_factors.clone(), revocations.clone(), &tokens);
        let directory = Directory::new(db.clone(), clock.clone());
        let invitations = Invitations::new(db.clone(), clock.clone(), audit.clone(), users.clone(), mailer, APP_URL.to_owned());
        let settings = Settings::new(db.clone(), clock.clone(), audit.clone(), bus.clone());
        Self {
            accounts: Accounts::new(basis.clone(), sessions.clone(), settings.clone(), directory.clone(), invitations.clone()),
            organizations: Organizations::new(db.clone(), clock.clone(), audit.clone(), users.clone(), bus.clone()),
            projects: Projects::new(db.clone(), clock.clone(), audit.clone(), bus.clone()),
            api_keys: ApiKeys::new(db.clone(), clock, audit.clone(), revocations, Duration::from_mins(1)),
            directory,
            invitations,
            audit,
            settings,
            sessions,
            second_factors,
            basis,
            users,
            bus,
        }
    }
}

async fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.parse().unwrap(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        password_hash: Some(Passwords::new().hash(PASSWORD).await.unwrap()),
        is_admin: false,
        verified: true,
    }
}

/// The configuration of nothing set.
pub fn config() -> Config {
    Config::load(&Environment::default()).unwrap()
}
