/**
 * The services there are, for the type checker only. A project that declares its own has misspelt names refused:
 *
 *     declare module 'fastify-consul' {
 *       interface ConsulServices { 'l01-data-layer': true, 'l02-runtime': true }
 *     }
 */
export interface ConsulServices {}

/** A name out of `ConsulServices`; any string as long as that declares none. */
export type ServiceName = keyof ConsulServices extends never ? string : keyof ConsulServices & string
