import type { ReactNode } from "react";
import { ErrorNotice } from "@/components/error-notice";
import { t } from "@/i18n";
import { Button } from "./button";
import { cx } from "./cx";

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** Left out below this width. */
  from?: "sm" | "md" | "lg" | "xl";
  align?: "right";
  /** Takes the room that the others leave. */
  grow?: boolean;
  /** The header is for screen readers only. */
  quiet?: boolean;
}

const FROM = { sm: "max-sm:hidden", md: "max-md:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" } as const;

interface More {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

interface DataTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  /** What stands there when there are no rows. */
  empty: ReactNode;
  error?: unknown;
  onRetry?: () => void;
  /** A row below a row, across all columns; null for none. */
  detail?: (row: Row) => ReactNode;
  onOpen?: (row: Row) => void;
  more?: More;
  /** Rows of the list before, while the new one is on its way. */
  outdated?: boolean;
}

/** A table of what there is, with its skeleton, its empty state and its failure in the same place. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, rowKey, empty, error, onRetry, detail, onOpen, more, outdated = false } = props;
  const failed = error !== null && error !== undefined && rows === undefined;
  if (failed) {
    return (
      <div className="rounded-lg border border-line">
        <ErrorNotice error={error} onRetry={onRetry} />
      </div>
    );
  }
  if (rows?.length === 0) return <div className="rounded-lg border border-line">{empty}</div>;
  const place = (column: Column<Row>) =>
    cx(column.from !== undefined && FROM[column.from], column.align === "right" && "text-right", column.grow === true && "w-full");
  return (
    <div>
      {/* Relative: what is for screen readers only must not widen the page. */}
      <div className="relative overflow-x-auto rounded-lg border border-line">
        <table aria-label={label} aria-busy={rows === undefined} className={cx("w-full border-collapse", outdated && "opacity-60")}>
          <thead>
            <tr className="bg-sunken text-left text-xs text-muted">
              {columns.map((column) => (
                <th key={column.id} scope="col" className={cx("h-8 px-3 font-medium whitespace-nowrap", place(column))}>
                  {column.quiet === true ? <span className="sr-only">{column.header}</span> : column.header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows === undefined
              ? Array.from({ length: 5 }, (_, index) => (
                  <tr key={index} className="border-t border-line">
                    {columns.map((column) => (
                      <td key={column.id} className={cx("h-11 px-3", place(column))}>
                        <div className={cx("skeleton h-3.5", column.grow === true ? "w-2/3" : "w-14")} />
                      </td>
                    ))}
                  </tr>
                ))
              : rows.map((row) => (
                  <TableRow key={rowKey(row)} row={row} columns={columns} place={place} detail={detail?.(row)} onOpen={onOpen} />
                ))}
          </tbody>
        </table>
      </div>
      {more?.hasNextPage === true && (
        <div className="flex justify-center pt-3">
          <Button disabled={more.isFetchingNextPage} onClick={() => void more.fetchNextPage()}>
            {t(more.isFetchingNextPage ? "table.loadingMore" : "table.more")}
          </Button>
        </div>
      )}
    </div>
  );
}

interface TableRowProps<Row> {
  row: Row;
  columns: readonly Column<Row>[];
  place: (column: Column<Row>) => string;
  detail: ReactNode;
  onOpen: ((row: Row) => void) | undefined;
}

function TableRow<Row>({ row, columns, place, detail, onOpen }: TableRowProps<Row>) {
  return (
    <>
      <tr
        onClick={(event) => {
          // The button in the row does the same for the keyboard.
          if (onOpen === undefined || !(event.target instanceof Element)) return;
          if (event.target.closest("a, button, input, select, label") !== null) return;
          if (globalThis.getSelection()?.isCollapsed === false) return;
          onOpen(row);
        }}
        className={cx("border-t border-line hover:bg-hover/60", onOpen !== undefined && "cursor-pointer")}
      >
        {columns.map((column) => (
          <td key={column.id} className={cx("h-11 px-3 py-1.5", column.grow === true ? "max-w-0 min-w-40" : "whitespace-nowrap", place(column))}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
      {detail !== null && detail !== undefined && (
        <tr className="border-t border-line bg-sunken">
          <td colSpan={columns.length} className="px-3 py-3">
            {detail}
          </td>
        </tr>
      )}
    </>
  );
}

/** A name with what tells it apart below, cut where there is no room. */
export function TwoLines({ first, second, badge }: { first: ReactNode; second?: ReactNode; badge?: ReactNode }) {
  return (
    <div className="min-w-0">
      <div className="flex min-w-0 items-center gap-1.5">
        <span className="truncate font-medium [&>button]:block [&>button]:max-w-full [&>button]:truncate">{first}</span>
        {badge}
      </div>
      {second !== undefined && <div className="truncate text-xs text-muted">{second}</div>}
    </div>
  );
}
