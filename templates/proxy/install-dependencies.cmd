---
title: Install the dependencies on this Core server
requirements: [NGX-6, PRE-6, STEP-5, DEF-19]
scope: server
when: server.is_core and not server.is_management
path: proxy/install-dependencies.cmd
format: cmd
effect: run_script
phase: proxy
order: 70
rollback: one_way
runbook:
  before:
    - 'The package was unpacked on a Management server; this server has no copy of it. Copy the folder {{ (proxy.root ~ ''\\dependencies'') | md_code }} from there to the same place on {{ server.name }}.'
  do:
    - 'Run `servers\{{ server.name }}\proxy\install-dependencies.cmd`. Note what it installs.'
  check:
    - 'The script ends with `The dependencies are installed`.'
  undo:
    - 'Uninstall what it installed in *Programs and Features*.'
---
{% set script_title = "Runs the installer of the package's dependencies" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
set "FOLDER={{ (proxy.root ~ "\\dependencies") | cmd_set }}"
set "STEP=find the installer"
if exist "%FOLDER%\install_dependencies.cmd" goto :found
echo There is no install_dependencies.cmd in %FOLDER%.
echo Copy the folder proxy\dependencies from a Management server to this place.
goto :fail
:found
set "STEP=install the dependencies"
pushd "%FOLDER%"
if not "%errorlevel%"=="0" goto :fail
call "%FOLDER%\install_dependencies.cmd" <nul
set "CODE=%errorlevel%"
popd
rem 3010 and 1641: done, Windows wants a restart. 1638: it is there in this or a later version.
if "%CODE%"=="3010" goto :restart
if "%CODE%"=="1641" goto :restart
if "%CODE%"=="1638" goto :there
if not "%CODE%"=="0" goto :wrong
:there
echo The dependencies are installed.
endlocal
exit /b 0
:restart
echo The dependencies are installed. Windows asks for a restart, which is a step of its own.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
:wrong
{% include "_cmd/failed" %}
