import { parse } from "yaml";
import { readProjectFile } from "./project-files.ts";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly description?: string };
}

export interface DashboardQuery {
  /** Title of the panel, or the name of the variable. */
  readonly place: string;
  /** As it is in the file, with the variables of Grafana. */
  readonly expression: string;
}

interface Dashboard {
  readonly panels: readonly { title: string; datasource?: unknown; targets?: readonly { expr: string }[] }[];
  readonly templating: { readonly list: readonly { name: string; definition?: string }[] };
}

export const alertsFile = "resources/prometheus/alerts.yaml";
export const scrapeFile = "resources/prometheus/scrape.yaml";
export const alertTestFiles = [
  "resources/prometheus/alerts.test.yaml",
  "resources/prometheus/alerts-over-days.test.yaml",
];

export function readAlerts(): AlertRule[] {
  const file = parse(readProjectFile(alertsFile)) as { groups: { rules: AlertRule[] }[] };
  return file.groups.flatMap(({ rules }) => rules);
}

export function readDashboard(): Dashboard {
  return JSON.parse(readProjectFile("resources/grafana/rsyncdirector.json")) as Dashboard;
}

/** Every query of the dashboard's panels and variables; `label_values(X, l)` asks for X. */
export function dashboardQueries(): DashboardQuery[] {
  const { panels, templating } = readDashboard();
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ place: title, expression: expr }))),
    ...templating.list.flatMap(({ name, definition }) =>
      definition === undefined
        ? []
        : [
            {
              place: `$${name}`,
              expression: definition.replace(/^label_values\((.*), (\w+)\)$/, "count by ($2) ($1)"),
            },
          ],
    ),
  ];
}

/** What Grafana makes of a query when all directors and jobs are chosen. */
export function asGrafanaAsks(expression: string): string {
  return expression.replaceAll(/\$(instance|job_id)\b/g, ".*").replaceAll("$__rate_interval", "2m");
}
