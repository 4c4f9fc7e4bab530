import { useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { PriceScope } from "@/api/prices";
import { meQuery } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { SettingsPage } from "@/components/ui/page";
import { t } from "@/i18n";
import { useOrganizationPermissions } from "@/lib/use-permissions";
import { OwnPrices, type Editing } from "./own-prices";
import { PriceDialog } from "./price-dialog";

export const route = createLazyRoute("/app/organizations/$organizationId/prices")({ component: OrganizationPricesPage });
const api = getRouteApi("/app/organizations/$organizationId/prices");

function OrganizationPricesPage() {
  const { organizationId } = api.useParams();
  const { data: me } = useSuspenseQuery(meQuery());
  const denied = useOrganizationPermissions(organizationId).denied("models:configure");
  const [editing, setEditing] = useState<Editing>(null);
  const scope: PriceScope = { kind: "organization", id: organizationId };
  // The catalogue is the same in every project.
  const projectId = me.organizations.find(({ id }) => id === organizationId)?.projects[0]?.id;
  return (
    <SettingsPage
      title={t("prices.title")}
      description={t("prices.textOrganization")}
      wide
      actions={
        <Button variant="primary" denied={denied} onClick={() => setEditing({ initial: {} })}>
          {t("prices.add")}
        </Button>
      }
    >
      <OwnPrices scope={scope} organizationId={organizationId} denied={denied} onEdit={setEditing} />
      {editing !== null && denied === false && (
        <PriceDialog
          key={"price" in editing ? editing.price.id : "new"}
          scope={scope}
          projectId={projectId}
          price={"price" in editing ? editing.price : null}
          initial={"initial" in editing ? editing.initial : undefined}
          onClose={() => setEditing(null)}
        />
      )}
    </SettingsPage>
  );
}
