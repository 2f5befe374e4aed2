/** `sworn/esbuild`: SDKs inside a bundle are seen; see `@sworn/instrument/esbuild`. @module */
export { type EsbuildPlugin, instrumented } from '@sworn/instrument/esbuild'
