@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Puts rabbitmq.config in place and restarts RabbitMQ
rem Made by cbgen for MGMT01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is MGMT01"
if /i "%COMPUTERNAME%"=="MGMT01" goto :right_server
echo This script was made for MGMT01; this is %COMPUTERNAME%. Use the folder of this server.
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

set "STEP=see that preflight.cmd has saved the old state"
if not exist "%STATE%\captured.txt" goto :fail


rem With the new file only certificates log in. Without plugin or users nobody could.
set "STEP=see that apply-users.cmd was run: the plugin is enabled"
"%SYSTEM%\findstr.exe" /c:"rabbitmq_auth_mechanism_ssl" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that apply-users.cmd was run: the user callback-mq exists"
call "%CTL%" -q list_user_permissions "callback-mq" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=put rabbitmq.config in place"
if not exist "%~dp0rabbitmq.config" goto :fail
if not exist "%CONFIG%" goto :new_file
rem The guide asks for changes in the section, not for another file: what the site has set besides stays.
set "STEP=set the terms of this bundle in the file that is there"
copy /y "%~dp0rabbitmq.config" "%RABBITMQ_BASE%\cbgen-bundle.config" >nul
if not "%errorlevel%"=="0" goto :fail
call "%CTL%" -q eval "{ok, [Old]} = file:consult(_1), {ok, [New]} = file:consult(_2), Drop = [binary_to_atom(D, utf8) || D <- binary:split(_3, <<44>>, [global])], App = fun(A, L) -> case lists:keyfind(A, 1, L) of {A, S} -> S; false -> [] end end, Both = [{A, S ++ [T || T <- App(A, Old), not lists:keymember(element(1, T), 1, S), not lists:member(element(1, T), Drop)]} || {A, S} <- New] ++ [S || S <- Old, not lists:keymember(element(1, S), 1, New)], ok = file:write_file(_4, unicode:characters_to_binary(io_lib:format([126, 116, 112, 46, 10], [Both]))), {ok, [Both]} = file:consult(_4), ok." "%CONFIG%" "%RABBITMQ_BASE%\cbgen-bundle.config" "none" "%RABBITMQ_BASE%\cbgen-both.config" >nul
if not "%errorlevel%"=="0" goto :fail
rem Copied, not moved: the file keeps who may read it.
copy /y "%RABBITMQ_BASE%\cbgen-both.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%RABBITMQ_BASE%\cbgen-both.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
del "%RABBITMQ_BASE%\cbgen-bundle.config"
if exist "%RABBITMQ_BASE%\cbgen-bundle.config" goto :fail
del "%RABBITMQ_BASE%\cbgen-both.config"
if exist "%RABBITMQ_BASE%\cbgen-both.config" goto :fail
goto :placed
:new_file
copy /y "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail

:placed
rem Installed again, a service may come up as another node with an empty database.
set "STEP=note which node this is, and what it knows"
call "%CTL%" -q eval "{node(), rabbit_mnesia:dir(), lists:sort(rabbit_auth_backend_internal:list_users()), lists:sort(rabbit_runtime_parameters:list(<<47>>))}." >"%STATE%\node-before.txt"
if not "%errorlevel%"=="0" goto :fail

set "STEP=stop RabbitMQ"
call :stop_broker
if not "%errorlevel%"=="0" goto :fail

rem The service remembers its configuration file and listeners from the day it was installed.
set "STEP=install the service again, so that it reads the file"
"%SYSTEM%\findstr.exe" /c:"tcp_listeners" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :install
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\findstr.exe" /i /l /c:"C:/Program Files (x86)/Virtual Hold Technology/RabbitMQ Server/rabbitmq.config" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :installed
if not "%errorlevel%"=="1" goto :fail
:install
call "%SBIN%\rabbitmq-service.bat" install
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the service reads the file now"
call :read_service
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /i /l /c:"C:/Program Files (x86)/Virtual Hold Technology/RabbitMQ Server/rabbitmq.config" "%STATE%\service.txt" >nul
if not "%errorlevel%"=="0" goto :fail
:installed

set "STEP=start RabbitMQ and wait until it answers"
call :start_broker
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that this is the same node with the same folder, users and upstreams"
call "%CTL%" -q eval "{node(), rabbit_mnesia:dir(), lists:sort(rabbit_auth_backend_internal:list_users()), lists:sort(rabbit_runtime_parameters:list(<<47>>))}." >"%STATE%\node-after.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" "%STATE%\node-before.txt" "%STATE%\node-after.txt"
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that the broker listens on port 5671 with TLS only"
call "%CTL%" -q eval "[] = [L || L <- rabbit_networking:active_listeners(), element(3, L) =:= amqp], [_ | _] = [ok || L <- rabbit_networking:active_listeners(), element(3, L) =:= 'amqp/ssl', element(6, L) =:= 5671], ok."
if not "%errorlevel%"=="0" goto :fail

echo RabbitMQ runs with the new configuration, listening on port 5671 for AMQP over TLS only.
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
echo Nothing after this step was done. Run servers\MGMT01\rabbitmq\rollback-rabbitmq.cmd to go back.
endlocal
exit /b 1


