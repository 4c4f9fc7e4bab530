import "./styles.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/error";
import { ToastLayer } from "./components/ui/toast";
import { TooltipLayer } from "./components/ui/tooltip";
import { followSystemTheme } from "./lib/preferences";
import { createAppRouter } from "./router";

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      // What the server refused stays refused; what did not arrive is tried once more.
      retry: (count, error) => count < 1 && error instanceof ApiError && error.status === 0,
      retryDelay: 500,
    },
  },
});
const router = createAppRouter(queryClient);

followSystemTheme();

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root element");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <ToastLayer />
      <TooltipLayer />
    </QueryClientProvider>
  </StrictMode>,
);
