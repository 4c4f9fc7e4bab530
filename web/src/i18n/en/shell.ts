export const shellTexts = {
  "nav.projectSettings": "Project settings",
  "nav.organization": "Organisation",
  "nav.admin": "Administration",
  "nav.accountSettings": "Account settings",
  "switcher.search": "Find a project or organisation",
  "switcher.nothing": "Nothing of that name",
  "switcher.noOrganization": "No organisation yet",
} as const;
