@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Does one phase at one place for people without cbgen.exe: runs its scripts in order, copies files before people change them, keeps one log.
rem Exit code 0: every step was done. 2: people have something to do first. Anything else: the named step failed and nothing after it ran.
rem Made by cbgen, bundle defaults 1. Change the inventory, not this file.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "PLACE="
set "PHASE="
set "ACTION="
if /i "%~1"=="ONE" set "PLACE=ONE"
if /i "%~1"=="deployment" set "PLACE=deployment"
if /i "%~2"=="prepare" set "PHASE=prepare"
if /i "%~2"=="certificate" set "PHASE=certificate"
if /i "%~2"=="proxy" set "PHASE=proxy"
if /i "%~2"=="stop" set "PHASE=stop"
if /i "%~2"=="database" set "PHASE=database"
if /i "%~2"=="registry" set "PHASE=registry"
if /i "%~2"=="components" set "PHASE=components"
if /i "%~2"=="iis" set "PHASE=iis"
if /i "%~2"=="verify" set "PHASE=verify"
if "%~3"=="" set "ACTION=forth"
if /i "%~3"=="back" set "ACTION=back"
if /i "%~3"=="done" set "ACTION=done"
if /i "%~3"=="accept-one-way" set "ACTION=accept-one-way"
rem The step whose file needs no change stands behind the word.
set "ONLY=%~4"
if /i "%~3"=="done-unchanged" set "ACTION=done-unchanged"
if not "%ACTION%"=="done-unchanged" goto :action_known
if not defined ONLY goto :usage
:action_known
if not defined PLACE goto :usage
if not defined PHASE goto :usage
if not defined ACTION goto :usage
if "%PLACE%"=="deployment" goto :right_place
if /i "%COMPUTERNAME%"=="%PLACE%" goto :right_place
echo This is %COMPUTERNAME%, not %PLACE%. Run it there.
endlocal
exit /b 1
:right_place
rem What is done and the logs; and copies of files, which the last step deletes.
set "STATE=%ProgramData%\cbgen\defaults\1\by-hand\%PLACE%"
set "COPIES=%ProgramData%\cbgen\defaults\1\by-hand-copies\%PLACE%"
call :folder "%STATE%"
if not "%errorlevel%"=="0" goto :no_state
call :folder "%COPIES%"
if not "%errorlevel%"=="0" goto :no_state
set "LOG=%STATE%\%PHASE%.log"
set "FOUND="
set "WAITS="
set "UNCHANGED="
set "BEGAN="
set "STOP="
set "SCRIPT="
set "NUMBER="
echo %PLACE%, phase %PHASE%, %ACTION%>>"%LOG%"
if not exist "%LOG%" goto :no_state
rem unchecked: the log is of use without the time too
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "Get-Date -Format s" >>"%LOG%" 2>&1
if "%ACTION%"=="back" goto :go_back

rem 1 Prepare: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment prepare" goto :past_f1_1
if defined WAITS goto :people_first
call :by_hand "1.1" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
call :by_hand "1.2" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
call :by_hand "1.3" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
:past_f1_1

rem 1 Prepare: ONE


if /i not "%PLACE% %PHASE%"=="ONE prepare" goto :past_f1_2
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\check-readiness.cmd"
call :script_again "1.4"
if not "%errorlevel%"=="0" goto :stopped
:past_f1_2

rem 2 Certificate: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment certificate" goto :past_f2_1
if defined WAITS goto :people_first
call :by_hand "2.1" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
:past_f2_1

rem 2 Certificate: ONE


if /i not "%PLACE% %PHASE%"=="ONE certificate" goto :past_f2_2
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\certificate\convert-certificate.cmd"
call :script "2.2"
if not "%errorlevel%"=="0" goto :stopped
:past_f2_2

rem 2 Certificate: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment certificate" goto :past_f2_3
if defined WAITS goto :people_first
call :by_hand "2.3" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
:past_f2_3

rem 3 Trust and proxy, not yet started: ONE


if /i not "%PLACE% %PHASE%"=="ONE proxy" goto :past_f3_1
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\certificate\import-trust.cmd"
call :script "3.1"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\certificate\check-certificate.cmd"
call :script_again "3.2"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\proxy\install-proxy.cmd"
call :script "3.3"
if not "%errorlevel%"=="0" goto :stopped
:past_f3_1

rem 4 Callers away, Callback stops: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment stop" goto :past_f4_1
if defined WAITS goto :people_first
call :by_hand "4.1" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
:past_f4_1

rem 4 Callers away, Callback stops: ONE


if /i not "%PLACE% %PHASE%"=="ONE stop" goto :past_f4_2
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\services\stop-callback.cmd"
call :script "4.2"
if not "%errorlevel%"=="0" goto :stopped
:past_f4_2

rem 5 Database: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment database" goto :past_f5_1
if defined WAITS goto :people_first
set "SCRIPT=%~dp0deployment\sql\apply-ws-configuration.cmd"
call :script "5.1"
if not "%errorlevel%"=="0" goto :stopped
:past_f5_1

rem 6 Registry, TLS versions and firewall: ONE


if /i not "%PLACE% %PHASE%"=="ONE registry" goto :past_f6_1
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\registry\apply-registry.cmd"
call :script "6.1"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\registry\apply-windows-tls.cmd"
call :script "6.2"
if not "%errorlevel%"=="0" goto :stopped
:past_f6_1

rem 7 Configuration files: ONE


if /i not "%PLACE% %PHASE%"=="ONE components" goto :past_f7_1
if defined WAITS goto :people_first
call :edit "7.1" "C:\Program Files (x86)\Virtual Hold Technology\ConfigurationManagement\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.2" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\ConfigurationTranslationAPI\Web.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.3" "C:\Program Files (x86)\Virtual Hold Technology\Dashboard\vht_auth_api-config.yml"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.4" "C:\Program Files (x86)\Virtual Hold Technology\Dashboard\vht_stats_api-config.yml"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.5" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\EyeQueue\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.6" "C:\Program Files (x86)\Virtual Hold Technology\Management API\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.7" "C:\Program Files (x86)\Virtual Hold Technology\Notification Server\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.8" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\VHCallbackResponse\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.9" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\VHQMWS\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.10" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\VHQWatch\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.11" "C:\Program Files (x86)\Virtual Hold Technology\VHT_ConfigurationWizard.exe.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.12" "C:\Program Files (x86)\Virtual Hold Technology\SmartRules\VHT_SmartRulesEngineService.exe.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.13" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\EyeQueue\EyeQueue.url"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.14" "C:\Core Monitor\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.15" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\ConfigurationManagement\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.16" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\LegacyReports\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.17" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\LegacyUsers\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.18" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\Licensing\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.19" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\SmartRulesEngineUi\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.20" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\SystemManagement\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.21" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\dashboards\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :edit "7.22" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\launchpad\settings.js"
if not "%errorlevel%"=="0" goto :stopped
:past_f7_1

rem 8 IIS lets go, the proxy starts: ONE


if /i not "%PLACE% %PHASE%"=="ONE iis" goto :past_f8_1
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\iis\apply-bindings.cmd"
call :script "8.1"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\iis\apply-details.cmd"
call :script "8.2"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\proxy\start-proxy.cmd"
call :script "8.3"
if not "%errorlevel%"=="0" goto :stopped
:past_f8_1

rem 10 Verify: ONE


if /i not "%PLACE% %PHASE%"=="ONE verify" goto :past_f10_1
if defined WAITS goto :people_first
set "SCRIPT=%~dp0servers\%PLACE%\services\start-callback.cmd"
call :script "10.1"
if not "%errorlevel%"=="0" goto :stopped
:past_f10_1

rem 10 Verify: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment verify" goto :past_f10_2
if defined WAITS goto :people_first
call :by_hand "10.2" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
call :by_hand "10.3" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
call :by_hand "10.4" RUNBOOK.md
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0deployment\sql\purge-captured.cmd"
call :script_one_way "10.5"
if not "%errorlevel%"=="0" goto :stopped
:past_f10_2
goto :finish

:go_back

rem 10 Verify: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment verify" goto :past_b10_1
call :stays "10.5"
if not "%errorlevel%"=="0" goto :stopped
call :forget "10.4"
if not "%errorlevel%"=="0" goto :stopped
call :by_hand_back "10.3"
if not "%errorlevel%"=="0" goto :stopped
call :forget "10.2"
if not "%errorlevel%"=="0" goto :stopped
:past_b10_1

rem 10 Verify: ONE


if /i not "%PLACE% %PHASE%"=="ONE verify" goto :past_b10_2
set "SCRIPT=%~dp0servers\%PLACE%\services\stop-callback.cmd"
call :script_back "10.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b10_2

rem 8 IIS lets go, the proxy starts: ONE


if /i not "%PLACE% %PHASE%"=="ONE iis" goto :past_b8_1
set "SCRIPT=%~dp0servers\%PLACE%\proxy\rollback-start.cmd"
call :script_back "8.3"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\iis\rollback-details.cmd"
call :script_back "8.2"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\iis\rollback-bindings.cmd"
call :script_back "8.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b8_1

rem 7 Configuration files: ONE


if /i not "%PLACE% %PHASE%"=="ONE components" goto :past_b7_1
call :restore "7.22" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\launchpad\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.21" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\dashboards\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.20" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\SystemManagement\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.19" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\SmartRulesEngineUi\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.18" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\Licensing\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.17" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\LegacyUsers\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.16" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\LegacyReports\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.15" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\ConfigurationManagement\settings.js"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.14" "C:\Core Monitor\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.13" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\EyeQueue\EyeQueue.url"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.12" "C:\Program Files (x86)\Virtual Hold Technology\SmartRules\VHT_SmartRulesEngineService.exe.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.11" "C:\Program Files (x86)\Virtual Hold Technology\VHT_ConfigurationWizard.exe.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.10" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\VHQWatch\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.9" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\VHQMWS\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.8" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\VHCallbackResponse\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.7" "C:\Program Files (x86)\Virtual Hold Technology\Notification Server\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.6" "C:\Program Files (x86)\Virtual Hold Technology\Management API\site.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.5" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\EyeQueue\web.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.4" "C:\Program Files (x86)\Virtual Hold Technology\Dashboard\vht_stats_api-config.yml"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.3" "C:\Program Files (x86)\Virtual Hold Technology\Dashboard\vht_auth_api-config.yml"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.2" "C:\Program Files (x86)\Virtual Hold Technology\VirtualHoldPub\ConfigurationTranslationAPI\Web.config"
if not "%errorlevel%"=="0" goto :stopped
call :restore "7.1" "C:\Program Files (x86)\Virtual Hold Technology\ConfigurationManagement\site.config"
if not "%errorlevel%"=="0" goto :stopped
:past_b7_1

rem 6 Registry, TLS versions and firewall: ONE


if /i not "%PLACE% %PHASE%"=="ONE registry" goto :past_b6_1
set "SCRIPT=%~dp0servers\%PLACE%\registry\rollback-windows-tls.cmd"
call :script_back "6.2"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\registry\rollback-registry.cmd"
call :script_back "6.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b6_1

rem 5 Database: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment database" goto :past_b5_1
set "SCRIPT=%~dp0deployment\sql\rollback-ws-configuration.cmd"
call :script_back "5.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b5_1

rem 4 Callers away, Callback stops: ONE


if /i not "%PLACE% %PHASE%"=="ONE stop" goto :past_b4_1
set "SCRIPT=%~dp0servers\%PLACE%\services\rollback-stop.cmd"
call :script_back "4.2"
if not "%errorlevel%"=="0" goto :stopped
:past_b4_1

rem 4 Callers away, Callback stops: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment stop" goto :past_b4_2
call :by_hand_back "4.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b4_2

rem 3 Trust and proxy, not yet started: ONE


if /i not "%PLACE% %PHASE%"=="ONE proxy" goto :past_b3_1
set "SCRIPT=%~dp0servers\%PLACE%\proxy\rollback-proxy.cmd"
call :script_back "3.3"
if not "%errorlevel%"=="0" goto :stopped
call :forget "3.2"
if not "%errorlevel%"=="0" goto :stopped
set "SCRIPT=%~dp0servers\%PLACE%\certificate\rollback-trust.cmd"
call :script_back "3.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b3_1

rem 2 Certificate: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment certificate" goto :past_b2_1
call :by_hand_back "2.3"
if not "%errorlevel%"=="0" goto :stopped
:past_b2_1

rem 2 Certificate: ONE


if /i not "%PLACE% %PHASE%"=="ONE certificate" goto :past_b2_2
set "SCRIPT=%~dp0servers\%PLACE%\certificate\rollback-certificate.cmd"
call :script_back "2.2"
if not "%errorlevel%"=="0" goto :stopped
:past_b2_2

rem 2 Certificate: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment certificate" goto :past_b2_3
call :by_hand_back "2.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b2_3

rem 1 Prepare: ONE


if /i not "%PLACE% %PHASE%"=="ONE prepare" goto :past_b1_1
call :forget "1.4"
if not "%errorlevel%"=="0" goto :stopped
:past_b1_1

rem 1 Prepare: Once for the whole installation


if /i not "%PLACE% %PHASE%"=="deployment prepare" goto :past_b1_2
call :by_hand_back "1.3"
if not "%errorlevel%"=="0" goto :stopped
call :forget "1.2"
if not "%errorlevel%"=="0" goto :stopped
call :forget "1.1"
if not "%errorlevel%"=="0" goto :stopped
:past_b1_2
goto :back_finish

:finish
if not defined FOUND goto :nothing_here
if defined UNCHANGED goto :still_as_before
if defined WAITS goto :people_first
echo %PLACE%: phase %PHASE% is done. What to check stands in RUNBOOK-BY-HAND.md. The log is %LOG%.
echo done>>"%LOG%"
endlocal
exit /b 0

:back_finish
if not defined FOUND goto :nothing_here
if not defined BEGAN goto :nothing_begun
if defined WAITS goto :people_back
echo %PLACE%: phase %PHASE% is taken back. The log is %LOG%.
echo taken back>>"%LOG%"
endlocal
exit /b 0

:people_first
echo The files named here are saved in %COPIES%. When all of this is done, run: run-phase.cmd %PLACE% %PHASE% done
echo waits for people>>"%LOG%"
endlocal
exit /b 2

:still_as_before
echo Where a file needs no change, because it says so already or its step may be passed over: run-phase.cmd %PLACE% %PHASE% done-unchanged NUMBER, with the number of the step, or all
echo waits for people>>"%LOG%"
endlocal
exit /b 2

:people_back
echo When this is done, run the same command again.
echo waits for people>>"%LOG%"
endlocal
exit /b 2

:one_way
echo %NUMBER% has no way back. To do it, run: run-phase.cmd %PLACE% %PHASE% accept-one-way
echo waits for people>>"%LOG%"
endlocal
exit /b 2

:nothing_here
echo Nothing is done at %PLACE% in phase %PHASE%.
endlocal
exit /b 2

:nothing_begun
echo This script has begun nothing at %PLACE% in phase %PHASE% on %COMPUTERNAME%. What people or cbgen did it does not know.
endlocal
exit /b 2

:usage
echo Does one phase at one place: run-phase.cmd PLACE PHASE
echo Places: the name of this server, and deployment, always on one and the same machine. Phases, in this order:
echo   1 prepare
echo   2 certificate
echo   3 proxy
echo   4 stop
echo   5 database
echo   6 registry
echo   7 components
echo   8 iis
echo   9 restart, by hand as RUNBOOK.md says
echo   10 verify
echo What has to wait for other places says RUNBOOK.md; this script does not wait for them.
echo What people have to do is named. Afterwards: run-phase.cmd PLACE PHASE done
echo To take a phase back: run-phase.cmd PLACE PHASE back
endlocal
exit /b 2

:no_state
echo Nothing was done: %STATE% cannot be made or written. Start the command prompt with Run as administrator.
endlocal
exit /b 1

:stopped
if "%STOP%"=="people_first" goto :people_first
if "%STOP%"=="people_back" goto :people_back
if "%STOP%"=="one_way" goto :one_way
echo.
echo FAILED at step %NUMBER%. Nothing after it was done. Mend the cause and run the same command again, or take the phase back: run-phase.cmd %PLACE% %PHASE% back
echo failed>>"%LOG%"
endlocal
exit /b 1

rem Only SYSTEM, Administrators and whoever made it read a folder of this script.
:folder
if exist "%~1\." goto :folder_there
mkdir "%~1"
if not "%errorlevel%"=="0" exit /b 1
:folder_there
"%SYSTEM%\icacls.exe" "%~1" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "*S-1-3-4:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" exit /b 1
exit /b 0

rem A step is begun before it is done: one that failed halfway is taken back too.
:mark
set "NUMBER=%~1"
set "MARK=%STATE%\%~1"
set "COPY=%COPIES%\%~1"
set "FOUND=yes"
set "BEGUN="
set "DONE="
if exist "%MARK%.begun" set "BEGUN=yes"
if defined BEGUN set "BEGAN=yes"
if exist "%MARK%.done" set "DONE=yes"
exit /b 0
:mark_begun
echo begun>"%MARK%.begun"
if not exist "%MARK%.begun" exit /b 1
exit /b 0
:mark_done
echo done>"%MARK%.done"
if not exist "%MARK%.done" exit /b 1
echo %NUMBER% done>>"%LOG%"
exit /b 0

:script_one_way
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if defined DONE goto :done_before
if "%ACTION%"=="accept-one-way" goto :script
set "STOP=one_way"
if defined WAITS set "STOP=people_first"
exit /b 2

rem A check has nothing to take back: it is run as often as somebody asks.
:script_again
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
del /q "%MARK%.done" >nul 2>&1
if exist "%MARK%.done" exit /b 1

rem Runs SCRIPT. What it says is shown when it has ended, and kept.
:script
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if defined DONE goto :done_before
if defined WAITS set "STOP=people_first"
if defined WAITS exit /b 2
call :mark_begun
if not "%errorlevel%"=="0" exit /b 1
echo %NUMBER% runs %SCRIPT%
echo What it says is shown when it has ended, perhaps after some minutes. Do not break it off.
echo %NUMBER% runs %SCRIPT%>>"%LOG%"
call :no_output
if not "%errorlevel%"=="0" exit /b 1
call "%SCRIPT%" "%~2" >"%MARK%.output" 2>&1 <nul
set "CODE=%errorlevel%"
call :tell
if not "%errorlevel%"=="0" exit /b 1
if not "%CODE%"=="0" exit /b 1
goto :mark_done
:done_before
echo %NUMBER% was done before.
exit /b 0

rem Where cmd.exe cannot write the output, it does not start the script and leaves the code of before.
:no_output
del /q "%MARK%.output" >nul 2>&1
if exist "%MARK%.output" exit /b 1
exit /b 0
:tell
if not exist "%MARK%.output" exit /b 1
type "%MARK%.output"
if not "%errorlevel%"=="0" exit /b 1
type "%MARK%.output" >>"%LOG%"
if not "%errorlevel%"=="0" exit /b 1
echo exit code %CODE%.>>"%LOG%"
exit /b 0

rem A step for people.
:by_hand
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if defined DONE exit /b 0
if not defined BEGUN goto :ask
if "%ACTION%"=="done" goto :mark_done
if "%ACTION%"=="done-unchanged" goto :mark_done
:ask
call :mark_begun
if not "%errorlevel%"=="0" exit /b 1
echo By hand: %NUMBER% as %~2 says.
set "WAITS=yes"
exit /b 0

rem A file that people change: it is copied before, and looked at afterwards.
:edit
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if defined DONE exit /b 0
if defined BEGUN goto :edit_asked
if exist "%~2" goto :edit_copy
echo absent>"%MARK%.absent"
if not exist "%MARK%.absent" exit /b 1
goto :edit_ask
:edit_copy
copy /y "%~2" "%COPY%.before" >nul
if not "%errorlevel%"=="0" exit /b 1
goto :edit_ask
:edit_asked
if "%ACTION%"=="done" goto :edit_look
if not "%ACTION%"=="done-unchanged" goto :edit_ask
if "%ONLY%"=="%NUMBER%" goto :mark_done
if /i "%ONLY%"=="all" goto :mark_done
:edit_look
if exist "%~2" goto :edit_there
echo %NUMBER%: there is still no such file.
set "UNCHANGED=yes"
goto :edit_ask
:edit_there
if exist "%MARK%.absent" goto :edit_differs
"%SYSTEM%\fc.exe" /b "%COPY%.before" "%~2" >nul 2>&1
if "%errorlevel%"=="1" goto :edit_differs
if not "%errorlevel%"=="0" exit /b 1
echo %NUMBER%: this file is as it was before.
set "UNCHANGED=yes"
goto :edit_ask
:edit_differs
rem Attributes of the bundle's file say what to do; in the file of the server they are a mistake that stops its service.
"%SYSTEM%\findstr.exe" /l /c:"xdt:" "%~2" >nul
if "%errorlevel%"=="1" goto :mark_done
if not "%errorlevel%"=="0" exit /b 1
echo %NUMBER%: this file holds attributes that begin with xdt, which belong into the file of the bundle only. Take them out.
:edit_ask
call :mark_begun
if not "%errorlevel%"=="0" exit /b 1
echo By hand: %NUMBER% as RUNBOOK-BY-HAND.md says, in %~2
if exist "%MARK%.absent" echo %NUMBER%: there was no such file here. Unless its step may be passed over, find out where it is before you go on.
set "WAITS=yes"
exit /b 0

rem Going back: what was not begun is passed over.
:script_back
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if not defined BEGUN exit /b 0
if defined WAITS set "STOP=people_back"
if defined WAITS exit /b 2
echo %NUMBER% is taken back by %SCRIPT%
echo %NUMBER% is taken back by %SCRIPT%>>"%LOG%"
call :no_output
if not "%errorlevel%"=="0" exit /b 1
call "%SCRIPT%" >"%MARK%.output" 2>&1 <nul
set "CODE=%errorlevel%"
call :tell
if not "%errorlevel%"=="0" exit /b 1
if "%CODE%"=="0" goto :forgotten
if defined DONE exit /b 1
rem A step that failed before it saved anything has changed nothing.
"%SYSTEM%\findstr.exe" /b /l /c:"There is no saved state in" "%MARK%.output" >nul
if not "%errorlevel%"=="0" exit /b 1
echo %NUMBER% failed before it changed anything.
goto :forgotten

:restore
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if not defined BEGUN exit /b 0
if defined WAITS set "STOP=people_back"
if defined WAITS exit /b 2
echo %NUMBER% is taken back: %~2
if exist "%COPY%.before" goto :put_back
if exist "%MARK%.absent" goto :take_away
echo The copy %COPY%.before is gone. Restore the file from your backup, then delete %MARK%.begun.
exit /b 1
:take_away
if not exist "%~2" goto :forgotten
move /y "%~2" "%COPY%.changed" >nul
if not "%errorlevel%"=="0" exit /b 1
goto :forgotten
:put_back
if not exist "%~2" goto :put
copy /y "%~2" "%COPY%.changed" >nul
if not "%errorlevel%"=="0" exit /b 1
:put
copy /y "%COPY%.before" "%~2" >nul
if not "%errorlevel%"=="0" exit /b 1
"%SYSTEM%\fc.exe" /b "%COPY%.before" "%~2" >nul 2>&1
if not "%errorlevel%"=="0" exit /b 1
goto :forgotten

:stays
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if defined BEGUN echo %NUMBER% has no way back: it stays.
exit /b 0

rem The second time people have done it.
:by_hand_back
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
if not defined BEGUN exit /b 0
if exist "%MARK%.undo" goto :forgotten
echo asked>"%MARK%.undo"
if not exist "%MARK%.undo" exit /b 1
echo By hand: take back %NUMBER% as RUNBOOK.md says below its Undo.
set "WAITS=yes"
exit /b 0

:forget
call :mark "%~1"
if not "%errorlevel%"=="0" exit /b 1
:forgotten
if not defined BEGUN exit /b 0
echo %NUMBER% taken back>>"%LOG%"
del /q "%MARK%.begun" "%MARK%.done" "%MARK%.absent" "%MARK%.undo" >nul 2>&1
if exist "%MARK%.begun" exit /b 1
if exist "%MARK%.done" exit /b 1
if exist "%MARK%.undo" exit /b 1
exit /b 0
