@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Puts back what preflight.cmd saved: files, service, plugins, upstreams, users
rem Made by cbgen for MGMT02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is MGMT02"
if /i "%COMPUTERNAME%"=="MGMT02" goto :right_server
echo This script was made for MGMT02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\rabbitmq"
if exist "%STATE%\." goto :folder_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:folder_ready
rem What is saved here may hold passwords: old federation addresses often do. Only the system and administrators read it.
"%SYSTEM%\icacls.exe" "%STATE%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" goto :fail

set "SBIN=C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq_server-3.8.1\sbin"
set "CTL=%SBIN%\rabbitmqctl.bat"
set "PLUGINS=%SBIN%\rabbitmq-plugins.bat"
set "CONFIG=C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq.config"
set "REG=%SYSTEM%\reg.exe"
set "STEP=find the tools of RabbitMQ in %SBIN%"
if not exist "%CTL%" goto :fail
if not exist "%PLUGINS%" goto :fail

rem The tools must use the folder the service uses, else they change files the broker never reads.
set "STEP=ask the service RabbitMQ for its folder"
call :read_service
if not "%errorlevel%"=="0" goto :fail
set "RABBITMQ_CONFIG_FILE=%CONFIG%"
rem Either of these would open the plain port again.
set "RABBITMQ_NODE_PORT="
set "RABBITMQ_NODE_IP_ADDRESS="


set "STEP=find the saved state"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

rem Files first: a broker that does not start with the new file starts with the old one.
set "STEP=stop RabbitMQ"
call :stop_broker
if not "%errorlevel%"=="0" goto :fail

set "STEP=restore the configuration of the broker"
if exist "%STATE%\config-absent.txt" goto :config_was_absent
copy /y "%STATE%\rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
goto :config_restored
:config_was_absent
if not exist "%CONFIG%" goto :config_restored
del /q "%CONFIG%"
if exist "%CONFIG%" goto :fail
:config_restored

set "STEP=restore the configuration of Callback"
copy /y "%STATE%\rabbitmq_config.json" "C:\Program Files (x86)\Virtual Hold Technology\rabbitmq_config.json" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=restore the plugins"
copy /y "%STATE%\enabled_plugins" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=restore the parameters of the service"
"%REG%" import "%STATE%\service.reg" "%VIEW%" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=start RabbitMQ and wait until it answers"
call :start_broker
if not "%errorlevel%"=="0" goto :fail

rem The old definitions go from the saved file into the broker without passing a command line.
set "STEP=restore the federation upstreams"
call "%CTL%" -q eval "{ok, B} = file:read_file(_1), G = fun(K, M) -> maps:get(atom_to_binary(K, utf8), M) end, U = atom_to_binary('federation-upstream', utf8), [ok = rabbit_runtime_parameters:parse_set(<<47>>, U, G(name, M), G(value, M), none) || M <- rabbit_json:decode(B), G(component, M) =:= U], ok." "%STATE%\parameters.json" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=restore or remove the user callback-mq"
call "%CTL%" -q eval "{ok, A} = file:read_file(_1), {ok, B} = file:read_file(_2), G = fun(K, M) -> maps:get(atom_to_binary(K, utf8), M) end, W = atom_to_binary(cbgen, utf8), case [G(tags, M) || M <- rabbit_json:decode(A), G(user, M) =:= _3] of [] -> case rabbit_auth_backend_internal:lookup_user(_3) of {ok, _} -> rabbit_auth_backend_internal:delete_user(_3, W), ok; _ -> ok end; [T] -> rabbit_auth_backend_internal:set_tags(_3, T, W), case [M || M <- rabbit_json:decode(B), G(user, M) =:= _3] of [] -> rabbit_auth_backend_internal:clear_permissions(_3, <<47>>, W), ok; [P] -> rabbit_auth_backend_internal:set_permissions(_3, <<47>>, G(configure, P), G(write, P), G(read, P), W), ok end end." "%STATE%\users.json" "%STATE%\permissions.json" "callback-mq" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=list what is there now"
call "%CTL%" -q list_users
if not "%errorlevel%"=="0" goto :fail
call "%CTL%" -q list_parameters -p /
if not "%errorlevel%"=="0" goto :fail

rem The next preflight.cmd saves what it finds then; what was saved now is the state of the past.
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo RabbitMQ is as it was before.
endlocal
exit /b 0

:stop_broker
call :stop_service RabbitMQ
if not "%errorlevel%"=="0" exit /b 1
exit /b 0

:start_broker
call :start_service RabbitMQ
if not "%errorlevel%"=="0" exit /b 1
set "TRIES="
:answering
call "%CTL%" -q list_vhosts >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
if not "%errorlevel%"=="0" exit /b 1
goto :answering

rem Stops a service by its key name, and first what runs and depends on it: net stop would ask, and nobody would see it.
:stop_service
"%SYSTEM%\sc.exe" enumdepend "%~1" 65536 >"%STATE%\depend.txt" 2>&1
if not "%errorlevel%"=="0" exit /b 1
set "TROUBLE="
for /f "usebackq tokens=1,* delims=: " %%A in ("%STATE%\depend.txt") do call :stop_dependent "%%B"
if defined TROUBLE exit /b 1
call :stop_one "%~1"
if not "%errorlevel%"=="0" exit /b 1
exit /b 0
rem What stands in the list is a key name when a running service answers to it. 1060, 123 and 1213: it is another word of the
rem list; 1062: it does not run. Any other answer is none.
:stop_dependent
if defined TROUBLE exit /b 1
if "%~1"=="" exit /b 0
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="0" goto :does_depend
if "%errorlevel%"=="1060" exit /b 0
if "%errorlevel%"=="1062" exit /b 0
if "%errorlevel%"=="123" exit /b 0
if "%errorlevel%"=="1213" exit /b 0
set "TROUBLE=yes"
exit /b 1
:does_depend
echo Stopping "%~1", which depends on it.
echo "%~1">>"%STATE%\dependents.txt"
call :stop_one "%~1"
if "%errorlevel%"=="0" exit /b 0
set "TROUBLE=yes"
exit /b 1
:stop_one
set "WAITS="
"%SYSTEM%\sc.exe" stop "%~1" >nul 2>&1
rem 1062: it does not run. 1061: it is stopping or starting right now.
if "%errorlevel%"=="1062" exit /b 0
if "%errorlevel%"=="1061" goto :stopping
if "%errorlevel%"=="0" goto :stopping
echo sc.exe stop answers %errorlevel% for the service "%~1".
exit /b 1
:stopping
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="1062" exit /b 0
set "WAITS=%WAITS%x"
if "%WAITS%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
rem unchecked: only waits some seconds
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
goto :stopping

rem Starts a service by its key name, and again what was stopped because it depends on it.
:start_service
call :start_one "%~1"
if not "%errorlevel%"=="0" exit /b 1
call :start_dependents
if not "%errorlevel%"=="0" exit /b 1
exit /b 0
:start_dependents
if not exist "%STATE%\dependents.txt" exit /b 0
set "NOT_STARTED="
for /f "usebackq delims=" %%A in ("%STATE%\dependents.txt") do call :start_dependent %%A
if defined NOT_STARTED exit /b 1
del /q "%STATE%\dependents.txt"
if exist "%STATE%\dependents.txt" exit /b 1
exit /b 0
:start_dependent
call :start_one "%~1"
if "%errorlevel%"=="0" exit /b 0
set "NOT_STARTED=%~1"
echo The service "%~1" was stopped because it depends on another one, and does not start.
exit /b 1
:start_one
set "WAITS="
:start_again
set "WAS_THERE="
"%SYSTEM%\sc.exe" start "%~1" >nul 2>&1
rem 1056: it runs, or it is starting or stopping right now.
if "%errorlevel%"=="1056" goto :was_there
if not "%errorlevel%"=="0" exit /b 1
goto :starting
:was_there
set "WAS_THERE=yes"
:starting
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
set "ANSWER=%errorlevel%"
set "WAITS=%WAITS%x"
if "%WAITS%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
rem 1062: it does not run. One that was stopping has ended now, and is started.
if not "%ANSWER%"=="1062" goto :start_wait
if defined WAS_THERE goto :start_again
:start_wait
rem unchecked: only waits some seconds
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
goto :starting


:read_service
set "KEY=HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1\RabbitMQ"
set "VIEW=/reg:64"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if "%errorlevel%"=="0" goto :service_read
set "VIEW=/reg:32"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if not "%errorlevel%"=="0" exit /b 1
:service_read
"%SYSTEM%\findstr.exe" /c:" WorkDir " "%STATE%\service.txt" >"%STATE%\workdir.txt"
if not "%errorlevel%"=="0" exit /b 1
set "RABBITMQ_BASE="
for /f "usebackq tokens=2,*" %%A in ("%STATE%\workdir.txt") do set "RABBITMQ_BASE=%%B"
if not defined RABBITMQ_BASE exit /b 1
if not exist "%RABBITMQ_BASE%\." exit /b 1
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. The saved state is still in the folder it lies in; this script may be run again.
endlocal
exit /b 1


