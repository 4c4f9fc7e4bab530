//! Prices as services, on both kinds of database.

use std::sync::{Arc, LazyLock};

use serde_json::json;

use super::repricing::{Mode, NewRepricing, Repricings, State};
use super::{Error, ModelPriceInput, PriceBook, PriceScope, Prices, Scope};
use crate::audit::{AuditFilter, By};
use crate::auth::testing::{World, worlds};
use crate::common::id::{ModelPriceId, OrganizationId, ProjectId};
use crate::common::origin::Origin;
use crate::infra::bus::Bus;
use crate::infra::clickhouse::ClickHouse;
use crate::infra::jobs::Jobs;
use crate::observability::pricing::Pricer;
use crate::observability::store::TelemetryStore;

/// One catalogue for all tests: reading it takes a while.
fn catalogue() -> Arc<Pricer> {
    static CATALOGUE: LazyLock<Arc<Pricer>> = LazyLock::new(|| Arc::new(Pricer::from_catalogue().unwrap()));
    Arc::clone(&CATALOGUE)
}

/// What one process has.
struct Process {
    prices: Prices,
    book: PriceBook,
    bus: Bus,
}

fn process(world: &World) -> Process {
    let (book, bus) = (PriceBook::new(world.db.db.clone(), catalogue()), Bus::new());
    // Nothing here asks for spans.
    let telemetry = TelemetryStore::new(ClickHouse::connect_url("http://127.0.0.1:1", None, None, "none"));
    let prices = Prices::new(world.db.db.clone(), world.clock.clone(), world.audit.clone(), bus.clone(), book.clone(), telemetry);
    Process { prices, book, bus }
}

fn scopes(world: &World) -> (Scope, Scope) {
    (Scope::Organization(world.organization.id), Scope::Project(world.organization.id, world.project.id))
}

fn by(world: &World) -> By {
    By::user(world.user.id, Origin::default())
}

fn price(provider: &str, model: &str, input: &str) -> ModelPriceInput {
    serde_json::from_value(json!({"provider": provider, "model": model, "prices": [{"rates": {"input": input}}]})).unwrap()
}

/// Where a model's price is from, and its input rate.
async fn found(book: &PriceBook, world: &World, model: &str) -> Option<(&'static str, String)> {
    let pricer = book.of(world.organization.id, world.project.id).await.unwrap();
    pricer.find("openai", model, 1_800_000_000_000_000_000).map(|found| (found.source, found.price.rates.rates["input"].clone()))
}

#[tokio::test]
async fn the_nearest_price_counts_at_once_and_in_other_processes_when_they_hear_of_it() {
    for world in worlds().await {
        let (here, there) = (process(&world), process(&world));
        let (organization, project) = scopes(&world);
        let mut heard = here.bus.listen();
        assert_eq!(found(&here.book, &world, "gpt-4o").await, Some(("catalogue", "2.5".to_owned())));
        assert_eq!(found(&there.book, &world, "gpt-4o").await, Some(("catalogue", "2.5".to_owned())));
        here.prices.create(&by(&world), organization, price("openai", "gpt-4o", "7")).await.unwrap();
        assert_eq!(found(&here.book, &world, "gpt-4o").await, Some(("organization", "7".to_owned())));
        there.book.apply(&heard.next().await.unwrap()).await;
        assert_eq!(found(&there.book, &world, "gpt-4o").await, Some(("organization", "7".to_owned())));
        let own = here.prices.create(&by(&world), project, price("", "gpt-*", "3")).await.unwrap();
        there.book.apply(&heard.next().await.unwrap()).await;
        for book in [&here.book, &there.book] {
            assert_eq!(found(book, &world, "gpt-4o").await, Some(("project", "3".to_owned())));
        }
        // Listed in the order in which they count.
        let list = here.prices.list(project).await.unwrap();
        let scopes: Vec<PriceScope> = list.iter().map(|price| price.scope).collect();
        assert_eq!(scopes, [PriceScope::Project, PriceScope::Organization]);
        assert_eq!(list[0].updated_by.as_ref().unwrap().email.as_deref(), Some("ada@example.com"));
        assert_eq!(here.prices.list(organization).await.unwrap().len(), 1);
        here.prices.update(&by(&world), project, own.id, price("", "gpt-*", "4")).await.unwrap();
        assert_eq!(found(&here.book, &world, "gpt-4o").await, Some(("project", "4".to_owned())));
        here.prices.delete(&by(&world), project, own.id).await.unwrap();
        assert_eq!(found(&here.book, &world, "gpt-4o").await, Some(("organization", "7".to_owned())));
        // What another tenant sets counts there.
        let other = Scope::Organization(OrganizationId::fresh());
        here.prices.create(&by(&world), other, price("openai", "gpt-4o", "99")).await.unwrap();
        assert_eq!(found(&here.book, &world, "gpt-4o").await, Some(("organization", "7".to_owned())));
    }
}

#[tokio::test]
async fn a_projects_prices_are_read_once_in_a_while_and_kept_as_they_were_made() {
    for world in worlds().await {
        let here = process(&world);
        let (_, project) = scopes(&world);
        let of = async || here.book.of(world.organization.id, world.project.id).await.unwrap();
        assert!(Arc::ptr_eq(&of().await, here.book.catalogue()), "a project without own prices has the catalogue");
        here.prices.create(&by(&world), project, price("", "m", "1")).await.unwrap();
        let made = of().await;
        // Even when everything is forgotten, nothing is made anew while nothing has changed: what it remembers stays.
        here.book.apply(&crate::infra::bus::Heard::Missed).await;
        assert!(Arc::ptr_eq(&of().await, &made));
        // While the database is away, what was last known counts.
        world.db.db.clone().close().await.unwrap();
        here.book.apply(&crate::infra::bus::Heard::Missed).await;
        let last = here.book.of_or_last(world.organization.id, world.project.id).await;
        assert!(Arc::ptr_eq(&last, &made));
        let unknown = here.book.of_or_last(world.organization.id, ProjectId::fresh()).await;
        assert!(Arc::ptr_eq(&unknown, here.book.catalogue()));
    }
}

#[tokio::test]
async fn prices_are_changed_in_their_own_scope_and_noted() {
    for world in worlds().await {
        let here = process(&world);
        let (organization, project) = scopes(&world);
        let own = here.prices.create(&by(&world), project, price("OpenAI", " My-Model ", "1")).await.unwrap();
        assert_eq!((own.provider.as_str(), own.model.as_str()), ("openai", "My-Model"));
        // The same name in another spelling is the same model.
        let twin = here.prices.create(&by(&world), project, price("openai", "my_model", "2")).await;
        assert!(matches!(twin, Err(Error::Exists)), "{twin:?}");
        let other = here.prices.create(&by(&world), project, price("", "my_model", "2")).await.unwrap();
        let twin = here.prices.update(&by(&world), project, other.id, price("openai", "my-model", "2")).await;
        assert!(matches!(twin, Err(Error::Exists)), "{twin:?}");
        here.prices.update(&by(&world), project, own.id, price("openai", "MY-MODEL", "3")).await.unwrap();
        // The organisation has prices of its own, and no other's.
        for wrong in [organization, Scope::Project(world.organization.id, ProjectId::fresh())] {
            let updated = here.prices.update(&by(&world), wrong, own.id, price("", "x", "1")).await;
            assert!(matches!(updated, Err(Error::PriceNotFound)), "{updated:?}");
            assert!(matches!(here.prices.delete(&by(&world), wrong, own.id).await, Err(Error::PriceNotFound)));
        }
        assert!(matches!(here.prices.delete(&by(&world), project, ModelPriceId::fresh()).await, Err(Error::PriceNotFound)));
        here.prices.delete(&by(&world), project, own.id).await.unwrap();
        let filter = AuditFilter { organization: Some(world.organization.id), ..AuditFilter::default() };
        let lines = world.audit.list(&filter, 10, None).await.unwrap();
        let actions: Vec<&str> = lines.iter().map(|line| line.action.as_str()).filter(|action| action.starts_with("model_price")).collect();
        assert_eq!(actions, ["model_price.delete", "model_price.update", "model_price.create", "model_price.create"]);
        let update = lines.iter().find(|line| line.action == "model_price.update").unwrap();
        assert_eq!(update.before.as_ref().unwrap()["prices"][0]["rates"]["input"], "1");
        assert_eq!(update.after.as_ref().unwrap()["prices"][0]["rates"]["input"], "3");
    }
}

#[tokio::test]
async fn one_re_pricing_at_a_time_writes_and_each_can_be_cancelled() {
    for world in worlds().await {
        let jobs = Jobs::new(world.db.db.clone(), world.clock.clone(), world.bus.clone());
        let repricings = Repricings::new(world.db.db.clone(), world.clock.clone(), world.audit.clone(), jobs);
        let (by, organization, project) = (by(&world), world.organization.id, world.project.id);
        let new = |mode| NewRepricing { mode, from: Some(-5), to: None, models: Vec::new() };
        let first = repricings.create(&by, organization, project, new(Mode::Apply)).await.unwrap();
        assert_eq!((first.state, first.start_time.as_deref(), first.result), (State::Queued, Some("1970-01-01T00:00:00Z"), None));
        let second = repricings.create(&by, organization, project, new(Mode::Apply)).await;
        assert!(matches!(second, Err(Error::RepricingRunning(Some(id))) if id == first.id), "{second:?}");
        // Looking is free, and so are other projects.
        repricings.create(&by, organization, project, new(Mode::Preview)).await.unwrap();
        repricings.create(&by, organization, project, new(Mode::Preview)).await.unwrap();
        repricings.create(&by, organization, ProjectId::fresh(), new(Mode::Apply)).await.unwrap();
        assert_eq!(repricings.list(project).await.unwrap().len(), 3);
        let foreign = repricings.cancel(&by, organization, ProjectId::fresh(), first.id).await;
        assert!(matches!(foreign, Err(Error::RepricingNotFound)), "{foreign:?}");
        let cancelled = repricings.cancel(&by, organization, project, first.id).await.unwrap();
        assert_eq!((cancelled.state, cancelled.finished_at.is_some()), (State::Cancelled, true));
        assert!(matches!(repricings.cancel(&by, organization, project, first.id).await, Err(Error::RepricingEnded)));
        repricings.create(&by, organization, project, new(Mode::Apply)).await.unwrap();
    }
}
