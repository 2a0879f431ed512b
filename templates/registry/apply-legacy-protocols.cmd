---
title: Turn off the old protocols, with the old values saved first
requirements: [HARD-7, DEF-61, DEF-103]
scope: server
when: windows_tls.disable_legacy_protocols
path: registry/apply-legacy-protocols.cmd
format: cmd
effect: run_script
phase: hardening
order: 70
breaks: [callbacks, web_pages]
rollback: registry/rollback-legacy-protocols.cmd
runbook:
  before:
    - 'Everything works with TLS 1.2 after the restart of the earlier step; SQL Server, drivers and command-line tools included.'
    - 'You have access to the console of this server, not only remote access.'
  do:
    - 'Run `servers\{{ server.name }}\registry\apply-legacy-protocols.cmd`.'
    - 'Restart Windows.'
  check:
    - 'The script ends with `All values are in place`; after the restart Callback reaches the database.'
  undo:
    - 'Run `servers\{{ server.name }}\registry\rollback-legacy-protocols.cmd`, then restart Windows.'
---
{% set script_title = "Turn off the old protocols, with the old values saved first" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\registry\\rollback-legacy-protocols.cmd to go back." -%}
{% set state_name = "legacy-protocols" -%}
{% set files = ["disable-legacy-protocols.reg"] -%}
{% set values = [
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 2.0\\Client", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 2.0\\Client", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 2.0\\Server", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 2.0\\Server", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 3.0\\Client", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 3.0\\Client", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 3.0\\Server", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\SSL 3.0\\Server", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0\\Client", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0\\Client", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0\\Server", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0\\Server", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.1\\Client", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.1\\Client", "DisabledByDefault", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.1\\Server", "Enabled", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.1\\Server", "DisabledByDefault", "REG_DWORD", "0x1"]
] -%}
{% include "registry/_registry/apply" %}
