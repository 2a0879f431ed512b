@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Restores the error page settings of before apply-error-page.cmd
rem Made by cbgen for BR-MGMT, bundle acme-branch 2026.12.2. Change the inventory, not this file.
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

set "STEP=check that this is BR-MGMT"
if /i "%COMPUTERNAME%"=="BR-MGMT" goto :right_server
echo This script was made for BR-MGMT; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\acme-branch\2026.12.2\error-page"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Default Web Site"
set "STEP=find IIS and its site"
if exist "%APPCMD%" goto :iis_found
echo There is no %APPCMD%. Install the IIS management tools.
goto :fail
:iis_found
"%APPCMD%" list site "%SITE%" >nul
if "%errorlevel%"=="0" goto :site_found
echo There is no site %SITE%. Correct iis.site in the inventory.
goto :fail
:site_found

set "STEP=read the saved values"
if not exist "%STATE%\errorMode.txt" goto :fail
set "MODE="
for /f "usebackq delims=" %%A in ("%STATE%\errorMode.txt") do set "MODE=%%A"
if not exist "%STATE%\defaultResponseMode.txt" goto :fail
set "RESPONSE="
for /f "usebackq delims=" %%A in ("%STATE%\defaultResponseMode.txt") do set "RESPONSE=%%A"
if not exist "%STATE%\defaultPath.txt" goto :fail
set "PAGE="
for /f "usebackq delims=" %%A in ("%STATE%\defaultPath.txt") do set "PAGE=%%A"
set "STEP=restore the section"
"%APPCMD%" set config "%SITE%" -section:system.webServer/httpErrors "-errorMode:%MODE%" "-defaultResponseMode:%RESPONSE%" "-defaultPath:%PAGE%" /commit:apphost
if not "%errorlevel%"=="0" goto :fail
set "STEP=read errorMode back"
call :attribute "errorMode"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="%MODE%" goto :fail
set "STEP=read defaultResponseMode back"
call :attribute "defaultResponseMode"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="%RESPONSE%" goto :fail
set "STEP=read defaultPath back"
call :attribute "defaultPath"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="%PAGE%" goto :fail
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo The settings of before are back.
endlocal
exit /b 0

rem Reads one attribute of the section into VALUE.
:attribute
set "VALUE="
"%APPCMD%" list config "%SITE%" -section:system.webServer/httpErrors "/text:%~1" >"%STATE%\now.txt"
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq delims=" %%A in ("%STATE%\now.txt") do set "VALUE=%%A"
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


