/** The gateway's own names: a tool of a backend is never listed under one of them. A test holds them to the tools there are. */
export const metaToolNames: ReadonlySet<string> = new Set([
  "gateway_search_tools",
  "gateway_invoke",
  "gateway_list_tools",
  "gateway_list_servers",
  "gateway_search",
  "gateway_execute",
  "gateway_read_result",
  "gateway_get_stats",
  "gateway_run_playbook",
  "gateway_list_playbooks",
  "gateway_set_profile",
  "gateway_get_profile",
  "gateway_list_profiles",
  "gateway_reload_config",
  "gateway_reload_capabilities",
]);
