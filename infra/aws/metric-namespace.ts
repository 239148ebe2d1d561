/** Where the metrics are that this service derives from its logs. */
export const METRIC_NAMESPACE = 'TokenOrchestrator';
