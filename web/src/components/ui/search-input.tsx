import { Search } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";

interface SearchInputProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Milliseconds to wait for more letters, where each search is a request. */
  wait?: number;
}

export function SearchInput({ label, value, onChange, wait = 0 }: SearchInputProps) {
  const [typed, setTyped] = useState(value);
  const tell = useEffectEvent((text: string) => {
    if (text !== value) onChange(text);
  });
  useEffect(() => {
    const timer = setTimeout(() => tell(typed), wait);
    return () => clearTimeout(timer);
  }, [typed, wait]);
  return (
    <div className="relative w-full max-w-64">
      <Search className="absolute top-1.5 left-2 size-4 text-muted" aria-hidden />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className="h-7 w-full rounded-md border border-line-strong bg-surface pr-2 pl-8 placeholder:text-muted"
      />
    </div>
  );
}
