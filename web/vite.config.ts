import { defineConfig } from "vitest/config";
import { baseMap } from "./build/base_map.ts";

export default defineConfig({
  base: "./",
  plugins: [baseMap()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      // The base map takes most of the time, and may.
      checks: { pluginTimings: false },
      input: ["index.html", "order.html"],
      output: {
        // Not every server knows that .mjs is JavaScript; every one knows .js.
        assetFileNames: (asset) =>
          asset.names[0]?.endsWith(".mjs") ? "assets/[hash].js" : "assets/[name]-[hash][extname]",
      },
    },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
