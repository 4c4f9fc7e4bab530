import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { pricesQuery, type PriceScope } from "@/api/prices";
import { meQuery } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { SettingsPage } from "@/components/ui/page";
import { Tabs } from "@/components/ui/tabs";
import { t } from "@/i18n";
import { emptyVersion, type PriceInput } from "@/lib/price-form";
import { PRICE_TABS, type PriceSearch } from "@/lib/price-search";
import { findProject } from "@/lib/projects";
import { useProjectPermissions } from "@/lib/use-permissions";
import { Catalogue } from "./catalogue";
import { OwnPrices, type Editing } from "./own-prices";
import { PriceDialog } from "./price-dialog";
import { PriceTest } from "./price-test";
import { Reprice } from "./reprice";
import { Unpriced } from "./unpriced";

export const route = createLazyRoute("/app/projects/$projectId/settings/prices")({ component: ProjectPricesPage });
const api = getRouteApi("/app/projects/$projectId/settings/prices");

function ProjectPricesPage() {
  const { projectId } = api.useParams();
  const search = api.useSearch();
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(meQuery());
  const permissions = useProjectPermissions(projectId);
  const scope: PriceScope = { kind: "project", id: projectId };
  const own = useQuery(pricesQuery(scope));
  const [chosen, setChosen] = useState<Editing>(null);
  const denied = permissions.denied("models:configure");
  const repriceDenied = permissions.denied("models:admin");
  const tab = search.tab ?? "own";
  const go = (to: PriceSearch, replace = false) =>
    void navigate({ to: "/projects/$projectId/settings/prices", params: { projectId }, search: to, replace });

  /** Of a model that has a price of the project's own, that one is changed. */
  const edit = (initial: Partial<PriceInput>): Editing => {
    const there = own.data?.find((price) => price.scope === "project" && price.provider === (initial.provider ?? "") && price.model === initial.model);
    return there === undefined ? { initial } : { price: there };
  };
  // Somebody followed a link to set the price of a model; which form it is, is known with the list.
  const linked =
    search.set !== undefined && !own.isPending ? edit({ model: search.set, provider: search.provider ?? "", versions: [emptyVersion()] }) : null;
  const editing = chosen ?? linked;
  const close = () => {
    setChosen(null);
    if (search.set !== undefined) go(tab === "own" ? {} : { tab }, true);
  };

  return (
    <SettingsPage
      title={t("prices.title")}
      description={t("prices.text")}
      wide
      actions={
        <Button variant="primary" denied={denied} onClick={() => setChosen({ initial: {} })}>
          {t("prices.add")}
        </Button>
      }
    >
      <div className="flex flex-col">
        <Tabs
          label={t("prices.tabs")}
          tabs={PRICE_TABS.map((id) => ({ id, label: t(`prices.tab.${id}`) }))}
          value={tab}
          onChange={(id) => go(id === "own" ? {} : { tab: id })}
        >
          <div className="flex flex-col gap-5 pt-4">
            {tab === "own" && (
              <>
                <OwnPrices
                  scope={scope}
                  organizationId={findProject(me, projectId)?.organization.id ?? ""}
                  denied={denied}
                  onEdit={setChosen}
                />
                <PriceTest projectId={projectId} />
              </>
            )}
            {tab === "catalogue" && <Catalogue projectId={projectId} denied={denied} onSet={(initial) => setChosen(edit(initial))} />}
            {tab === "unpriced" && (
              <Unpriced
                projectId={projectId}
                denied={denied}
                repriceDenied={repriceDenied}
                onSet={(initial) => setChosen(edit(initial))}
                onReprice={(models) => go({ tab: "reprice", models })}
              />
            )}
            {tab === "reprice" && <Reprice key={search.models} projectId={projectId} models={search.models ?? ""} denied={repriceDenied} />}
          </div>
        </Tabs>
      </div>
      {editing !== null && denied === false && (
        <PriceDialog
          key={"price" in editing ? editing.price.id : "new"}
          scope={scope}
          projectId={projectId}
          price={"price" in editing ? editing.price : null}
          initial={"initial" in editing ? editing.initial : undefined}
          onClose={close}
        />
      )}
    </SettingsPage>
  );
}
