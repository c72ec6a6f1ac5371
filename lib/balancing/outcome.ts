/**
 * What an attempt says of its instance. `neutral` says nothing: it was aborted, or the request, someone further down or
 * this process was at fault.
 */
export type Outcome = 'success' | 'failure' | 'neutral'

/**
 * What the time of an attempt says of its instance: that it takes so long; that it takes so long at the least, as
 * nobody waited for the end; or nothing, as errors may come faster than what was asked for, unless it is long.
 */
export type Timing = 'measured' | 'unfinished' | 'untypical'
