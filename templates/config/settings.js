---
title: '{{ each }} reaches the services through the proxy'
requirements: [CFG-15, DEF-55]
scope: server
when: server.is_management
each: [ConfigurationManagement, dashboards, launchpad, LegacyReports, LegacyUsers, Licensing, SystemManagement, SmartRulesEngineUi]
path: config/VirtualHoldPub/{{ each }}/settings.js.json
target: '{{ product.publish_root }}\{{ each }}\settings.js'
format: js_references
effect: replace_references
phase: components
order: 60
breaks: [web_pages]
runbook:
  before: ['If the file does not exist on this server, skip this step and note it; `cbgen` passes over it by itself.']
  do: ['Replace each whole address `http(s)://HOST:PORT` by its new address. `:28001` is not `:2800`.', 'Note when a port of the list is not in the file; that is not an error.']
  later: ['The pages load from {{ server.own_origin | md_code }} and the browser console shows no mixed-content or CORS message.']
  undo: ['Put the saved copy back.']
---
{
  "rewrites": [
    {"port": 2800, "to": {{ (proxy.origin ~ "/auth") | json_string }}},
    {"port": 2900, "to": {{ (proxy.origin ~ "/stats") | json_string }}},
    {"port": 8000, "to": {{ (proxy.origin ~ "/system") | json_string }}},
    {"port": 8001, "to": {{ (proxy.origin ~ "/config") | json_string }}},
    {"port": 8002, "to": {{ (proxy.origin ~ "/license") | json_string }}},
    {"port": 8012, "to": {{ (proxy.origin ~ "/mgmt") | json_string }}}
  ],
  "boundary": "not-a-digit",
  "when_absent": "report"
}
