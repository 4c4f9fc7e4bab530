import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath, URL } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * Serves boot/theme.js as a small blocking script ahead of everything else.
 *
 * The theme has to be on <html> before the first paint, and the content security policy refuses inline
 * scripts. Vite only bundles module scripts, which are deferred, so this one file is emitted by hand with
 * a content hash like every other asset.
 */
function blockingThemeScript(): Plugin {
  const source = readFileSync(new URL("./boot/theme.js", import.meta.url), "utf8");
  const hash = createHash("sha256").update(source).digest("base64url").slice(0, 8);
  const fileName = `assets/theme-${hash}.js`;
  return {
    name: "brokle-blocking-theme",
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, (_request, response) => {
        response.setHeader("Content-Type", "text/javascript");
        response.end(source);
      });
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: {
      order: "post",
      handler: () => [{ tag: "script", attrs: { src: `/${fileName}` }, injectTo: "head-prepend" }],
    },
  };
}

/** Where `npm run dev` sends API calls: the address of a running Brokle server. */
const server = process.env.BROKLE_DEV_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwindcss(), blockingThemeScript()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // The polyfill is for browsers that the target above leaves out anyway.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      ["/api", "/v1", "/health", "/openapi.json"].map((path) => [path, { target: server, changeOrigin: false }]),
    ),
  },
});
