// Runs before the first paint: puts the stored theme and density on <html>, so that nothing flashes.
// Keep in step with src/lib/preferences.ts, which owns these keys.
(function () {
  var root = document.documentElement;
  var theme = null;
  var density = null;
  try {
    theme = localStorage.getItem("brokle.theme");
    density = localStorage.getItem("brokle.density");
  } catch (_) {
    // Storage is off: the defaults below hold.
  }
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  root.dataset.density = density === "compact" || density === "roomy" ? density : "normal";
})();
