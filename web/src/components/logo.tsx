/** The mark: three spans of a trace. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden>
      <rect width="32" height="32" rx="7" className="fill-accent" />
      <path fill="none" strokeWidth="3" strokeLinecap="round" d="M8 9h16M12 16h12M16 23h5" className="stroke-on-accent" />
    </svg>
  );
}
